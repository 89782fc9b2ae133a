// Command app stands for the web app in the launcher's tests: it is ready at
// once, and tells its environment and process id to whoever asks. Files in
// the current folder change its manners: "broken" makes it fail at once,
// "stubborn" makes it ignore SIGTERM.
package main

import (
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
)

func main() {
	if _, err := os.Stat("broken"); err == nil {
		fmt.Fprintln(os.Stderr, "the moon is in the wrong phase")
		os.Exit(3)
	}
	if _, err := os.Stat("stubborn"); err == nil {
		signal.Ignore(syscall.SIGTERM)
	}
	http.HandleFunc("/readyz", func(http.ResponseWriter, *http.Request) {})
	http.HandleFunc("/env", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, strings.Join(os.Environ(), "\n"))
	})
	http.HandleFunc("/pid", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, os.Getpid()) })
	if err := http.ListenAndServe(os.Getenv("VINFAST_LISTEN"), nil); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
