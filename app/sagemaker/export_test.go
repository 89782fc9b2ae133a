package sagemaker

// Parse is the reply parser, for the fuzzer.
var Parse = parse

// Bounds that the fuzzer checks.
const (
	MaxReply  = maxReply
	MaxScores = maxScores
	MaxLabel  = maxLabel
)
