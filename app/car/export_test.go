package car

// Guarded lets a test hold what happens when a codec panics; no input is known
// that makes one do so.
var Guarded = guarded[int]
