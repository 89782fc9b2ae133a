//go:build linux

// Command bench measures the app on this machine and writes docs/bench.md.
// Every figure stands beside another one of the same run, so that a slow or
// busy machine shows in both. Run it by make bench, which builds the programs.
package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"vinfast-classifier/app/car"
	"vinfast-classifier/local/program"
)

const report = "docs/bench.md"

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Minute)
	defer cancel()
	if err := bench(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func bench(ctx context.Context) error {
	dir, err := os.MkdirTemp(os.Getenv("TMPDIR"), "bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	var out strings.Builder
	fmt.Fprintf(&out, "# Measured\n\nWritten by `make bench` on %s: %d cores, %s, %s/%s. Medians; the ratio is what to compare between machines.\n",
		time.Now().UTC().Format(time.DateOnly), runtime.NumCPU(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
	for _, part := range []func(context.Context, string, *strings.Builder) error{starts, memory, added, pictures} {
		if err := part(ctx, dir, &out); err != nil {
			return err
		}
	}
	fmt.Print(out.String())
	if err := os.MkdirAll(filepath.Dir(report), 0o755); err != nil {
		return err
	}
	return os.WriteFile(report, []byte(out.String()), 0o644)
}

// starts times make run's launcher from its start to the line with the URL,
// beside the database server alone from its start to the first answer.
func starts(ctx context.Context, dir string, out *strings.Builder) error {
	fmt.Fprintln(os.Stderr, "measuring starts ...")
	folder := filepath.Join(dir, "start")
	if err := os.Mkdir(folder, 0o700); err != nil {
		return err
	}
	first, err := launch(ctx, folder)
	if err != nil {
		return err
	}
	var again, alone []float64
	for range 5 {
		t, err := launch(ctx, folder)
		if err != nil {
			return err
		}
		again = append(again, t)
		if t, err = databaseStart(ctx, filepath.Join(dir, "alone")); err != nil {
			return err
		}
		alone = append(alone, t)
	}
	a, d := median(again), median(alone[1:]) // the first one makes the folder
	fmt.Fprintf(out, "\n## Start to ready\n\n| | seconds | ratio to the database server alone |\n|---|---|---|\n"+
		"| first time (the database is prepared) | %.2f | %.1f |\n| again | %.2f | %.1f |\n| database server alone | %.2f | 1 |\n",
		first, first/d, a, a/d, d)
	return nil
}

// launch runs the launcher until it is ready, stops it, and returns the
// seconds it took to be ready.
func launch(ctx context.Context, dir string) (float64, error) {
	port, err := program.FreePort()
	if err != nil {
		return 0, err
	}
	bin, err := filepath.Abs(".local/bin")
	if err != nil {
		return 0, err
	}
	cmd := program.Command(ctx, filepath.Join(bin, "local"), "run", "-app", filepath.Join(bin, "vinfast"), "-port", strconv.Itoa(port))
	cmd.Dir, cmd.Stderr = dir, os.Stderr
	lines, err := cmd.StdoutPipe()
	if err != nil {
		return 0, err
	}
	began := time.Now()
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	took := 0.0
	for s := bufio.NewScanner(lines); s.Scan(); {
		if strings.Contains(s.Text(), "http://") {
			took = time.Since(began).Seconds()
			if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
				return 0, err
			}
		}
	}
	if err := cmd.Wait(); err != nil || took == 0 {
		return 0, fmt.Errorf("run the launcher: %w", errors.Join(err, errors.New("see its lines above")))
	}
	return took, nil
}

// memory reads the app's resident memory idle and under 32 clients, with the
// endpoint fixed at 100 ms.
func memory(ctx context.Context, dir string, out *strings.Builder) error {
	fmt.Fprintln(os.Stderr, "measuring memory ...")
	s, err := start(ctx, filepath.Join(dir, "memory"), 100*time.Millisecond)
	if err != nil {
		return err
	}
	defer s.stop()
	idle, err := s.resident()
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "\n## Resident memory of the app\n\nThe endpoint answers after 100 ms.\n\n| | MiB | ratio to idle | uploads a second |\n|---|---|---|---|\n| idle | %.0f | 1 | |\n", idle)
	for _, load := range []struct {
		name  string
		jpeg  []byte
		count int
	}{{"640x480", drawn(640, 480), 1000}, {"12 megapixels", drawn(4000, 3000), 200}} {
		peak, rate, err := s.load(ctx, load.jpeg, load.count, 32)
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "| highest with 32 clients, %s | %.0f | %.1f | %.0f |\n", load.name, peak, peak/idle, rate)
	}
	return nil
}

// added times one upload through the app beside one call of the endpoint, in
// turn, from one client.
func added(ctx context.Context, dir string, out *strings.Builder) error {
	fmt.Fprintln(os.Stderr, "measuring added time ...")
	s, err := start(ctx, filepath.Join(dir, "added"), time.Millisecond)
	if err != nil {
		return err
	}
	defer s.stop()
	fmt.Fprintf(out, "\n## Time the app adds\n\nOne client; the endpoint answers 1 ms after it has decoded the picture. *Directly* is one InvokeEndpoint call, with the"+
		" file itself and with the picture the app makes of it.\n\n| photo | through the app, ms | directly, ms | directly, as the app sends it, ms | added, ms | ratio |\n|---|---|---|---|---|---|\n")
	for _, p := range []struct {
		name string
		jpeg []byte
	}{{"640x480 upright", drawn(640, 480)}, {"12 megapixels", drawn(4000, 3000)}} {
		decoded, err := car.Decode(p.jpeg, car.Limits{Bytes: 10 << 20, Pixels: 50_000_000})
		if err != nil {
			return err
		}
		var through, direct, sent []float64
		for range 41 {
			for _, step := range []struct {
				times *[]float64
				do    func() error
			}{
				{&through, func() error { return s.upload(ctx, p.jpeg) }},
				{&direct, func() error { return s.invoke(ctx, p.jpeg) }},
				{&sent, func() error { return s.invoke(ctx, decoded.Model) }},
			} {
				began := time.Now()
				if err := step.do(); err != nil {
					return err
				}
				*step.times = append(*step.times, time.Since(began).Seconds()*1000)
			}
		}
		t, d, m := median(through), median(direct), median(sent)
		fmt.Fprintf(out, "| %s | %.1f | %.1f | %.1f | %.1f | %.1f |\n", p.name, t, d, m, t-m, t/m)
	}
	return nil
}

// drawn is a JPEG with the detail of a photograph: soft shapes and grain.
func drawn(w, h int) []byte {
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	r := rand.New(rand.NewPCG(1, 2))
	for y := range h {
		for x := range w {
			v := uint8(128 + 60*((x*8/w+y*6/h)%2) + r.IntN(12))
			img.SetRGBA(x, y, color.RGBA{v, v - 20, uint8(x * 200 / w), 255})
		}
	}
	var buf bytes.Buffer
	if err := jpeg.Encode(&buf, img, &jpeg.Options{Quality: 85}); err != nil {
		panic(err) // a bytes.Buffer never fails
	}
	return buf.Bytes()
}

func median(v []float64) float64 {
	v = slices.Sorted(slices.Values(v))
	return v[len(v)/2]
}

func ready(url string) bool {
	resp, err := http.Get(url + "/readyz")
	if err != nil {
		return false
	}
	resp.Body.Close()
	return resp.StatusCode == http.StatusOK
}
