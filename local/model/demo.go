package model

import (
	"embed"
	"io/fs"
)

//go:embed demo/config.json demo/preprocessor_config.json demo/model.safetensors
var demoFiles embed.FS

// DemoFiles is the folder of the demo model, as Load takes it.
func DemoFiles() (fs.FS, error) { return fs.Sub(demoFiles, "demo") }

// Demo loads the small model that was trained on drawings of the six cars
// (README.md). It is no good for photos, and its Notice says so.
func Demo() (*Model, error) {
	files, err := DemoFiles()
	if err != nil {
		return nil, err
	}
	return Load(files)
}
