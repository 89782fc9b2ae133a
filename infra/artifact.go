package infra

import (
	"context"
	"fmt"
	"net/url"
	"path"
	"regexp"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// MySQL's own generic Linux build, since Amazon Linux has no MySQL package and
// instances have no way to MySQL's.
const (
	mysqlURL    = "https://cdn.mysql.com/archives/mysql-8.4/mysql-8.4.6-linux-glibc2.28-x86_64-minimal.tar.xz"
	mysqlSHA256 = "f284b17b9e038adbe77f0dd5fb11ed30262286b23a390b8b4e367abc3574c42e"
)

// Folders in the artifacts bucket. A role may read the whole folder and not one
// key: while "up" replaces what runs, and if it fails on the way, old and new
// are both still to be had.
const (
	appFolder   = "app"
	mysqlFolder = "mysql"
	modelFolder = "model"
)

var tarName = regexp.MustCompile(`\.tar\.(xz|gz)$`)

// File is a local file and its SHA-256 in lower-case hex.
type File struct{ Path, SHA256 string }

// Tools does the work on the machine that runs Pulumi. Tests bring their own.
type Tools struct {
	// BuildApp builds the app in root, the repository, for linux on goarch.
	BuildApp func(ctx context.Context, root, goarch string) (File, error)
	// Download returns the file at url, which must have the digest. It keeps
	// the file for the next time, and says so before it loads anything big.
	Download func(ctx context.Context, url, sha256 string, say func(string)) (File, error)
	// Pack returns the model in path, a folder or a .tar.gz, as a .tar.gz.
	Pack func(root, path string) (File, error)
}

// ArtifactsArgs: all fields are required.
type ArtifactsArgs struct {
	Config Config
	Tools  Tools
	Bucket pulumi.IDOutput
}

// Artifacts are the files instances and endpoint fetch, each under its digest.
type Artifacts struct {
	pulumi.ResourceState

	App   Artifact
	MySQL Artifact
	Model *Artifact // nil when the model comes from the hub
}

// Artifact is one file in the artifacts bucket.
type Artifact struct {
	Key    string
	SHA256 string
	Object pulumi.Resource
}

// NewArtifacts builds or loads the files and uploads them.
func NewArtifacts(ctx *pulumi.Context, name string, args ArtifactsArgs, opts ...pulumi.ResourceOption) (*Artifacts, error) {
	c := &Artifacts{}
	if err := ctx.RegisterComponentResource("vinfast:infra:Artifacts", name, c, opts...); err != nil {
		return nil, fmt.Errorf("registering %s: %w", name, err)
	}
	say := func(text string) {
		// A message that cannot be shown is no reason to stop.
		_ = ctx.Log.Info(text, &pulumi.LogArgs{Resource: c})
	}
	root := ctx.RootDirectory()
	if root == "" {
		root = "."
	}
	say("Building the app; the first time takes some minutes")
	app, err := args.Tools.BuildApp(ctx.Context(), root, goarch(args.Config.Web.InstanceType))
	if err != nil {
		return nil, fmt.Errorf("building the app: %w", err)
	}
	if c.App, err = c.upload(ctx, args.Bucket, appFolder, "vinfast", app); err != nil {
		return nil, err
	}
	if c.MySQL, err = c.mysql(ctx, args, say); err != nil {
		return nil, err
	}
	if args.Config.Model.DataPath != "" {
		packed, err := args.Tools.Pack(root, args.Config.Model.DataPath)
		if err != nil {
			return nil, fmt.Errorf("packing model.dataPath %s: %w", args.Config.Model.DataPath, err)
		}
		model, err := c.upload(ctx, args.Bucket, modelFolder, "model.tar.gz", packed)
		if err != nil {
			return nil, err
		}
		c.Model = &model
	}
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{"app": pulumi.String(c.App.Key), "mysql": pulumi.String(c.MySQL.Key)})
}

// mysql loads and uploads the built-in or the configured build, under the name
// in its URL; a query there, such as a token, is no part of it.
func (c *Artifacts) mysql(ctx *pulumi.Context, args ArtifactsArgs, say func(string)) (Artifact, error) {
	source, digest := mysqlURL, mysqlSHA256
	if args.Config.Database.MySQLURL != "" {
		source, digest = args.Config.Database.MySQLURL, args.Config.Database.MySQLSHA256
	}
	u, err := url.Parse(source)
	if err != nil {
		return Artifact{}, fmt.Errorf("loading MySQL: %w", withoutURL(err))
	}
	file, err := args.Tools.Download(ctx.Context(), source, digest, say)
	if err != nil {
		return Artifact{}, fmt.Errorf("loading MySQL from %s: %w", plainURL(source), withoutURL(err))
	}
	return c.upload(ctx, args.Bucket, mysqlFolder, path.Base(u.Path), file)
}

func (c *Artifacts) upload(ctx *pulumi.Context, bucket pulumi.IDOutput, name, file string, f File) (Artifact, error) {
	key := name + "/" + f.SHA256 + "/" + file
	object, err := newObject(ctx, name, bucket, key, f.Path, c)
	if err != nil {
		return Artifact{}, err
	}
	return Artifact{Key: key, SHA256: f.SHA256, Object: object}, nil
}
