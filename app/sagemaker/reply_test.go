package sagemaker_test

import (
	"math"
	"strings"
	"testing"

	"vinfast-classifier/app/sagemaker"
)

func TestParse(t *testing.T) {
	long := strings.Repeat("x", 101)
	many := "[" + strings.Repeat(`{"score":0.001,"label":"a"},`, 100) + `{"score":0.001,"label":"a"}]`
	tests := map[string]struct {
		body, notice string
		best         string // label; empty if the reply must be refused
	}{
		"one":                     {`[{"score":1,"label":"Vinfast_VF_8"}]`, "", "Vinfast_VF_8"},
		"zero":                    {`[{"score":0,"label":"a"}]`, "", "a"},
		"not in order":            {`[{"score":0.1,"label":"a"},{"score":0.9,"label":"b"}]`, "", "b"},
		"a tie keeps its order":   {`[{"score":0.5,"label":"a"},{"score":0.5,"label":"b"}]`, "", "a"},
		"white space and members": {" [ {\"label\":\"a\",\"score\":5e-1,\"index\":3} ]\n", " demo ", "a"},
		"not only ASCII":          {`[{"score":0.5,"label":"VinFast é"}]`, "", "VinFast é"},
		"longest notice":          {`[{"score":0.5,"label":"a"}]`, strings.Repeat("n", 1000), "a"},

		"nothing":              {"", "", ""},
		"not JSON":             {"<html>", "", ""},
		"empty list":           {"[]", "", ""},
		"null":                 {"null", "", ""},
		"object":               {`{"score":0.5,"label":"a"}`, "", ""},
		"list of lists":        {`[[{"score":0.5,"label":"a"}]]`, "", ""},
		"goes on":              {`[{"score":0.5,"label":"a"}] x`, "", ""},
		"twice":                {`[{"score":0.5,"label":"a"}][]`, "", ""},
		"no score":             {`[{"label":"a"}]`, "", ""},
		"null score":           {`[{"score":null,"label":"a"}]`, "", ""},
		"score is text":        {`[{"score":"0.5","label":"a"}]`, "", ""},
		"negative":             {`[{"score":-0.1,"label":"a"}]`, "", ""},
		"above one":            {`[{"score":1.1,"label":"a"}]`, "", ""},
		"not a number":         {`[{"score":NaN,"label":"a"}]`, "", ""},
		"infinite":             {`[{"score":1e999,"label":"a"}]`, "", ""},
		"no label":             {`[{"score":0.5}]`, "", ""},
		"blank label":          {`[{"score":0.5,"label":" "}]`, "", ""},
		"long label":           {`[{"score":0.5,"label":"` + long + `"}]`, "", ""},
		"line end in label":    {`[{"score":0.5,"label":"a\nb"}]`, "", ""},
		"broken text in label": {"[{\"score\":0.5,\"label\":\"a\xff\"}]", "", ""},
		"too many":             {many, "", ""},
		"too long":             {`[{"score":0.5,"label":"a"}]` + strings.Repeat(" ", 64<<10), "", ""},
		"second line bad":      {`[{"score":0.5,"label":"a"},{}]`, "", ""},
		"long notice":          {`[{"score":0.5,"label":"a"}]`, strings.Repeat("n", 1001), ""},
		"notice not ASCII":     {`[{"score":0.5,"label":"a"}]`, "d\u00e9mo", ""},
		"control in notice":    {`[{"score":0.5,"label":"a"}]`, "a\x1bb", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			reply, err := sagemaker.Parse([]byte(tt.body), tt.notice)
			if tt.best == "" {
				if err == nil {
					t.Fatalf("taken: %+v", reply)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := reply.Scores[0].Label; got != tt.best {
				t.Errorf("best label %q, want %q", got, tt.best)
			}
			if want := strings.TrimSpace(tt.notice); reply.Notice != want {
				t.Errorf("notice %q, want %q", reply.Notice, want)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`[{"score":0.98,"label":"Vinfast_VF_8"},{"score":0.02,"label":"Vinfast_Fadil"}]`), "demo model")
	f.Add([]byte(`[{"score":1e-400,"label":"a"}]`), "")
	f.Add([]byte(`[[{"score":NaN,"label":null}]]`), "\x00")
	f.Fuzz(func(t *testing.T, body []byte, notice string) {
		reply, err := sagemaker.Parse(body, notice)
		if err != nil {
			return
		}
		if len(body) > sagemaker.MaxReply || len(reply.Scores) == 0 || len(reply.Scores) > sagemaker.MaxScores {
			t.Fatalf("%d bytes taken with %d scores", len(body), len(reply.Scores))
		}
		last := math.Inf(1)
		for _, s := range reply.Scores {
			if !(s.Value >= 0 && s.Value <= 1) || s.Value > last {
				t.Errorf("score %v after %v", s.Value, last)
			}
			if s.Label == "" || len(s.Label) > sagemaker.MaxLabel || strings.ContainsAny(s.Label, "\x00\r\n\x1b") {
				t.Errorf("label %q", s.Label)
			}
			last = s.Value
		}
		if len(reply.Notice) > 1000 || strings.ContainsAny(reply.Notice, "\x00\r\n\x1b") {
			t.Errorf("notice %q", reply.Notice)
		}
	})
}
