//go:build linux

package main

import (
	"bufio"
	"context"
	_ "embed"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"

	"vinfast-classifier/app/photo"
	"vinfast-classifier/local/program"
)

//go:embed pictures.py
var pillow string

// pictures measures the processor time from a picture's bytes to its rendition
// on one core, in turn with Pillow's.
func pictures(ctx context.Context, dir string, out *strings.Builder) error {
	fmt.Fprintln(os.Stderr, "measuring pictures ...")
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	folder := filepath.Join(dir, "pictures")
	if err := os.Mkdir(folder, 0o700); err != nil {
		return err
	}
	for name, size := range map[string][2]int{"640x480": {640, 480}, "1600x1200": {1600, 1200}, "12 megapixels": {4032, 3024}} {
		if err := os.WriteFile(filepath.Join(folder, name+".jpg"), drawn(size[0], size[1]), 0o600); err != nil {
			return err
		}
	}
	peer := program.Command(ctx, ".local/venv-bench/bin/python", "-c", pillow, folder)
	peer.Stderr = os.Stderr
	ask, err := peer.StdinPipe()
	if err != nil {
		return err
	}
	lines, err := peer.StdoutPipe()
	if err != nil {
		return err
	}
	if err := peer.Start(); err != nil {
		return err
	}
	answers := bufio.NewScanner(lines)
	answers.Scan() // ready
	fmt.Fprintf(out, "\n## From a picture to its rendition\n\nProcessor time on one core, in turn with Pillow: open, draft, exif_transpose, convert, resize to 1024, save as JPEG of quality 90.\n\n"+
		"| photo | ours, ms | Pillow, ms | ratio | Pillow without draft, ms | ratio | memory foreseen, MiB |\n|---|---|---|---|---|---|---|\n")
	for _, name := range []string{"640x480", "1600x1200", "12 megapixels"} {
		for _, name := range []string{name, name + ", progressive"} {
			var ours, draft, whole, byDraft, byWhole []float64
			var memory int64
			for range 15 {
				t, m, err := rendition(filepath.Join(folder, name+".jpg"))
				if err != nil {
					return err
				}
				times := map[string]float64{}
				for _, how := range []string{"draft", "whole"} {
					if _, err := fmt.Fprintf(ask, "%s %s.jpg\n", how, name); err != nil {
						return err
					}
					answers.Scan()
					if times[how], err = strconv.ParseFloat(answers.Text(), 64); err != nil {
						return fmt.Errorf("ask Pillow: %w", err)
					}
				}
				memory, ours, draft, whole = m, append(ours, t), append(draft, times["draft"]), append(whole, times["whole"])
				byDraft, byWhole = append(byDraft, t/times["draft"]), append(byWhole, t/times["whole"])
			}
			fmt.Fprintf(out, "| %s | %.1f | %.1f | %.2f | %.1f | %.2f | %d |\n", name, median(ours), median(draft), median(byDraft), median(whole), median(byWhole), memory>>20)
		}
	}
	if err := ask.Close(); err != nil {
		return err
	}
	return peer.Wait()
}

// rendition makes one, and returns the milliseconds it took and the memory that
// was foreseen.
func rendition(file string) (ms float64, memory int64, err error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return 0, 0, err
	}
	began := processorTime()
	h, err := photo.Inspect(data, photo.Limits{Bytes: 20 << 20, Pixels: 50_000_000})
	if err != nil {
		return 0, 0, err
	}
	p, err := h.Decode()
	if err != nil {
		return 0, 0, err
	}
	_, err = p.JPEG(photo.Side)
	return processorTime() - began, h.Memory, err
}

// processorTime is what this process has used, in milliseconds.
func processorTime() float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err) // it takes no input that could be wrong
	}
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e6
}
