//go:build !unit

package web_test

import (
	"context"
	"fmt"
	"image"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"vinfast-classifier/app/car"
	"vinfast-classifier/app/photostore"
	"vinfast-classifier/app/predictions"
	"vinfast-classifier/app/sagemaker"
	"vinfast-classifier/app/spool"
	"vinfast-classifier/app/web"
	"vinfast-classifier/local/database"
	"vinfast-classifier/local/endpoint"
	"vinfast-classifier/local/objectstore"
)

const bucketName = "vinfast-web-test"

// mysql is one server for all tests; each has a schema of its own.
var mysql *database.Server

func TestMain(m *testing.M) { os.Exit(withDatabase(m)) }

func withDatabase(m *testing.M) int {
	dir, err := os.MkdirTemp("", "vinfast-web-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	if mysql, err = database.Start(ctx, database.Options{Dir: dir, TestSchemas: true}); err != nil {
		fmt.Fprintln(os.Stderr, "these tests need a database server:", err)
		return 1
	}
	code := m.Run()
	stopChrome()
	if err := mysql.Stop(); err != nil {
		fmt.Fprintln(os.Stderr, "stop the database:", err)
		return 1
	}
	return code
}

// real is the routes over the app's own parts, which speak to MySQL, S3 and
// SageMaker Runtime servers.
type real struct {
	*site
	model      *httptest.Server
	mind       *mind
	noModel    *atomic.Bool // there is no such endpoint
	noBucket   *atomic.Bool // the bucket refuses everything
	classifier *car.Classifier
	rows       *predictions.Store
	remover    *car.Remover
}

// mind is a model that says the same of each picture.
type mind struct {
	sync.Mutex // held, it thinks for as long
	answer     func()
	scores     []endpoint.Score
}

func (m *mind) Classify(context.Context, image.Image) ([]endpoint.Score, error) {
	m.Lock()
	defer m.Unlock()
	return m.scores, nil
}

func (*mind) Notice() string { return "demo model, trained on drawings, not for photos" }

// think keeps the model thinking until answer is called, or the test ends.
func (m *mind) think() {
	m.Lock()
	m.answer = sync.OnceFunc(m.Unlock)
}

// say changes what the model answers.
func (m *mind) say(scores ...endpoint.Score) {
	m.Lock()
	defer m.Unlock()
	m.scores = scores
}

func newReal(t *testing.T, change ...func(*web.Config)) *real {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	quiet := slog.New(slog.DiscardHandler)
	objects, closer, err := objectstore.New(filepath.Join(t.TempDir(), "objects"), quiet, bucketName)
	must(err)
	t.Cleanup(func() { must(closer.Close()) })
	serve := func(h http.Handler) *httptest.Server {
		s := httptest.NewServer(h)
		t.Cleanup(s.Close)
		return s
	}
	var noBucket atomic.Bool
	store := serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if noBucket.Load() {
			http.Error(w, "", http.StatusForbidden)
			return
		}
		objects.ServeHTTP(w, r)
	}))
	thinks := &mind{answer: func() {}, scores: []endpoint.Score{{Label: "Vinfast_VF_e34", Score: 0.75}, {Label: "Vinfast_Fadil", Score: 0.25}}}
	container := serve(endpoint.Container(thinks, 4))
	t.Cleanup(func() { thinks.answer() })
	var noModel atomic.Bool
	runtime := func(name string) http.Handler {
		return endpoint.Runtime{Endpoint: name, Region: "us-east-1", Account: "000000000000", Container: container.URL, Timeout: 2 * time.Minute}.Handler()
	}
	there, gone := runtime("vinfast-test"), runtime("vinfast-other")
	model := serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if noModel.Load() {
			gone.ServeHTTP(w, r)
			return
		}
		there.ServeHTTP(w, r)
	}))

	config := aws.Config{Region: "us-east-1", Credentials: credentials.NewStaticCredentialsProvider("local", "local", "")}
	at := func(url string) aws.Config { c := config; c.BaseEndpoint = &url; return c }
	dsn, err := mysql.NewSchema(t.Context())
	must(err)
	connector, err := predictions.FromDSN(dsn)
	must(err)
	rows := predictions.Open(connector, bucketName)
	t.Cleanup(func() { must(rows.Close()) })
	must(rows.Migrate(t.Context()))
	waiting, err := spool.Open(filepath.Join(t.TempDir(), "spool"), quiet)
	must(err)
	photos := photostore.New(at(store.URL), bucketName)
	client := sagemaker.New(at(model.URL), sagemaker.Options{Endpoint: "vinfast-test", Timeout: 2 * time.Minute, Attempts: 1})

	r := &real{model: model, mind: thinks, noModel: &noModel, noBucket: &noBucket, rows: rows}
	r.site = newSite(t, func(c *web.Config) {
		r.classifier = &car.Classifier{Endpoint: client, Photos: photos, Predictions: rows, Spool: waiting, Limits: c.Limits,
			Now: time.Now, Log: quiet, StoreTimeout: 2 * time.Minute,
			Room: func(context.Context, int64) (func(), error) { return func() {}, nil }}
		c.Classifier, c.History, c.Photos, c.Spool, c.Endpoint = r.classifier, rows, photos, waiting, client
		r.remover = &car.Remover{Predictions: rows, Photos: photos, Spool: waiting, Now: time.Now, Log: quiet}
		c.Remover = r.remover
		c.Checks = []web.Check{
			{Name: "database", Ask: rows.Ping, Down: "The database does not answer."},
			{Name: "bucket", Ask: photos.Ping, Down: "The picture store does not answer."},
			{Name: "spool", Ask: func(context.Context) error { return waiting.Ping() }, Down: "The shared folder cannot be written."},
		}
		c.Now = time.Now
		for _, f := range change {
			f(c)
		}
	})
	return r
}

func TestRealFlow(t *testing.T) {
	r := newReal(t)
	resp, body := r.do("GET", "/readyz", nil)
	if resp.StatusCode != 200 {
		t.Fatalf("not ready: %s", body)
	}
	// Ready asked the model; from then on the start page says what it is.
	if got := words(r.open("/").Find(".notice")); got != "demo model, trained on drawings, not for photos" {
		t.Errorf("notice: %q", got)
	}
	send := func() answer {
		resp, body := r.form("/api/v1/predictions", []part{{"image", "a.jpg", picture(1)}, {"image", "b.png", fromCar(t, "rgb8.png")}}, "Idempotency-Key", "once")
		return answerOf(t, resp, body)
	}
	first, again := send(), send()
	for i, p := range first.Predictions {
		if p.Label != "Vinfast_VF_e34" || p.Stored != "yes" || p.Notice == "" || p.ID != again.Predictions[i].ID || !p.UploadedAt.Equal(again.Predictions[i].UploadedAt) {
			t.Errorf("file %d: %+v, then %+v", i, p, again.Predictions[i])
		}
	}
	if l := r.list("?label=Vinfast_VF_e34&minScore=0.75"); len(l.Predictions) != 2 {
		t.Errorf("history: %+v", l)
	}
	if l := r.list("?label=Vinfast_VF_e34'%20OR%20'1'='1"); len(l.Predictions) != 0 {
		t.Errorf("a quote in the label got through to SQL: %+v", l)
	}
	l := r.list("?limit=1")
	if l = r.list("?limit=1&cursor=" + *l.Next); len(l.Predictions) != 1 || l.Next != nil {
		t.Errorf("second page: %+v", l)
	}
	resp, body = r.do("GET", first.Predictions[1].ImageURL, nil)
	if resp.Header.Get("Content-Type") != "image/png" || body != string(fromCar(t, "rgb8.png")) {
		t.Errorf("picture: %d %v", resp.StatusCode, resp.Header)
	}
	if resp, body = r.do("GET", "/api/v1/predictions?cursor=x", nil); problemOf(t, resp, body).Status != 400 {
		t.Errorf("bad cursor: %s", body)
	}
}

func TestRealFlowWithoutTheModel(t *testing.T) {
	r := newReal(t)
	r.model.Close()
	resp, body := r.form("/api/v1/predictions", []part{{"image", "a.jpg", picture(1)}})
	if p := problemOf(t, resp, body); p.Status != 503 || resp.Header.Get("Retry-After") == "" {
		t.Errorf("got %+v", p)
	}
	if state, err := r.Config.Spool.State(); state.Uploads != 0 || err != nil {
		t.Errorf("the spool keeps %+v, %v", state, err)
	}
	if resp, body = r.do("GET", "/readyz", nil); resp.StatusCode != 503 {
		t.Errorf("readyz: %d %s", resp.StatusCode, body)
	}
}

func TestRealFlowWithoutTheBucket(t *testing.T) {
	r := newReal(t)
	r.noBucket.Store(true)
	resp, body := r.form("/api/v1/predictions", []part{{"image", "a.jpg", picture(1)}}, "Idempotency-Key", "k")
	p := answerOf(t, resp, body).Predictions[0]
	if p.Stored != "pending" {
		t.Fatalf("got %+v", p)
	}
	resp, body = r.form("/api/v1/predictions", []part{{"image", "a.jpg", picture(1)}}, "Idempotency-Key", "k")
	if again := answerOf(t, resp, body).Predictions[0]; again.ID != p.ID || again.Stored != "pending" {
		t.Errorf("the retry: %+v", again)
	}
	if _, body = r.do("GET", p.ImageURL, nil); body != string(picture(1)) {
		t.Error("the picture is not shown while it waits")
	}
	r.noBucket.Store(false)
	if done, err := r.classifier.Resume(t.Context()); done != 1 || err != nil {
		t.Fatalf("resume: %d, %v", done, err)
	}
	if resp, body = r.do("GET", "/api/v1/predictions/"+p.ID, nil); resp.StatusCode != 200 || len(r.list("").Predictions) != 1 {
		t.Errorf("after the resume: %d %s", resp.StatusCode, body)
	}
	if _, body = r.do("GET", p.ImageURL, nil); body != string(picture(1)) {
		t.Error("the picture is not shown from the bucket")
	}
}
