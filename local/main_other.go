//go:build !unix

// Command local runs the whole classifier on one machine. It needs a Unix.
package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "This runs on Linux and macOS. On Windows, use the Windows Subsystem for Linux.")
	os.Exit(1)
}
