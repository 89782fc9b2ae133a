package car

// Decode turns uploaded bytes into a Photo, or says in a Refusal why not:
// ErrNotImage, ErrUnsupportedType, ErrTooLarge, ErrTooManyPixels, ErrBroken.
func Decode(data []byte, limits Limits) (Photo, error) {
	panic("not written yet")
}
