package main

// Blameless is the breakers' judgement.
var Blameless = blameless
