//go:build unix

package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"vinfast-classifier/local/endpoint"
	"vinfast-classifier/local/hub"
	"vinfast-classifier/local/model"
)

// fixedAnswer is a real answer's shape and size, for measurements.
func fixedAnswer(latency time.Duration) endpoint.Fixed {
	return endpoint.Fixed{Latency: latency, Scores: []endpoint.Score{
		{Score: 0.75, Label: "Vinfast_VF_8"}, {Score: 0.125, Label: "Vinfast_VF_e34"}, {Score: 0.0625, Label: "Vinfast_Fadil"},
		{Score: 0.03125, Label: "Vinfast_Lux_A2.0"}, {Score: 0.015625, Label: "Vinfast_Lux_SA2.0"}, {Score: 0.015625, Label: "Vinfast_President"}}}
}

// modelFolder returns the folder of the model that was asked for; empty for
// the demo model. A model named by its Hugging Face id is downloaded once.
func (l *launcher) modelFolder(ctx context.Context) (string, error) {
	if l.model == "" {
		return "", nil
	}
	if info, err := os.Stat(l.model); err == nil && info.IsDir() {
		return checkFolder(l.model)
	}
	if strings.HasPrefix(l.model, ".") || strings.HasPrefix(l.model, "/") {
		return "", sentence("There is no folder %s.", l.model)
	}
	url := os.Getenv("HF_ENDPOINT")
	if url == "" {
		url = "https://huggingface.co"
	}
	client := hub.Client{URL: url, Token: os.Getenv("HF_TOKEN"), Dir: l.path("models"), Progress: l.progress()}
	l.say("Looking for the model %s in .local/models, else at %s ...", l.model, url)
	folder, err := client.Fetch(ctx, l.model)
	if err != nil && ctx.Err() == nil {
		return "", modelFault(l.model, err)
	}
	return folder, err
}

// checkFolder finds faults that can be told from outside a model, and returns
// the folder's absolute path.
func checkFolder(folder string) (string, error) {
	for _, file := range hub.Files {
		if _, err := os.Stat(filepath.Join(folder, file)); errors.Is(err, fs.ErrNotExist) {
			return "", sentence("The folder %s has no %s. A model is the three files %s.", folder, file, strings.Join(hub.Files, ", "))
		}
	}
	if err := hub.CheckWeights(filepath.Join(folder, "model.safetensors")); err != nil {
		return "", err
	}
	return filepath.Abs(folder)
}

// progress says how far a download is, every two seconds.
func (l *launcher) progress() func(file string, done, total int64) {
	last := time.Now()
	return func(file string, done, total int64) {
		if time.Since(last) < 2*time.Second {
			return
		}
		last = time.Now()
		if total < 0 {
			l.say("  %s: %.1f MB", file, float64(done)/1e6)
			return
		}
		l.say("  %s: %.1f of %.1f MB (%d %%)", file, float64(done)/1e6, float64(total)/1e6, 100*done/max(total, 1))
	}
}

// modelFault says what to do about a model that cannot be had.
func modelFault(name string, err error) error {
	var file *hub.FileError
	id, _, _ := strings.Cut(name, "@")
	switch {
	case errors.Is(err, hub.ErrName):
		return sentence("MODEL is %q, which is neither a folder nor a Hugging Face id such as owner/model or owner/model@revision.", name)
	case errors.Is(err, hub.ErrForbidden):
		return sentence("The hub refuses %s: it is private, gated, or does not exist. If you may use it, set HF_TOKEN to a token of yours.", name)
	case errors.Is(err, hub.ErrMissing) && errors.As(err, &file) && file.File == "model.safetensors":
		return sentence(`%s has no model.safetensors. Weights in other formats can run code while they are loaded, so they are not read here.
Either name a revision that has the file (the first pull request, say: MODEL=%s@refs/pr/1), or convert the model
with Python and start again with MODEL=model:

  python3 -c 'from transformers import AutoImageProcessor as P, AutoModelForImageClassification as M
  M.from_pretrained("%s").save_pretrained("model", safe_serialization=True); P.from_pretrained("%s").save_pretrained("model")'
`, name, id, id, id)
	case errors.Is(err, hub.ErrMissing) && errors.As(err, &file) && file.File == "preprocessor_config.json":
		return sentence("%s has no preprocessor_config.json, so it is no image classifier that can run here.", name)
	case errors.Is(err, hub.ErrMissing):
		return sentence("The hub has no model %s. Check its spelling, and the revision if you gave one.", name)
	default:
		return sentence("The model could not be downloaded: %w", err)
	}
}

// loadModel loads a folder; the demo model if it has no name.
func loadModel(folder string) (endpoint.Classifier, error) {
	var m *model.Model
	var err error
	if folder == "" {
		m, err = model.Demo()
	} else {
		m, err = model.Load(os.DirFS(folder))
	}
	if err != nil {
		return nil, err
	}
	return endpoint.Vision(m), nil
}
