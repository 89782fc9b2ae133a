// Command app stands for the web app in the launcher's tests: it is ready at
// once, and tells its environment and process id to whoever asks. Files in
// the current folder change its manners: "broken" makes it fail at once,
// "stubborn" makes it ignore SIGTERM. Else it ends on SIGTERM, and writes into
// "farewell" which of the services that it needs were still there.
package main

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"regexp"
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
	} else {
		go farewell()
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

func farewell() {
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM)
	<-stop
	var there []string
	address := regexp.MustCompile(`127\.0\.0\.1:\d+`)
	for _, name := range []string{"VINFAST_DB_DSN", "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME"} {
		if c, err := net.Dial("tcp", address.FindString(os.Getenv(name))); err == nil {
			there = append(there, name)
			c.Close()
		}
	}
	if err := os.WriteFile("farewell", []byte(strings.Join(there, " ")), 0o600); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}
