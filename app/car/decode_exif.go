package car

import (
	"bytes"

	"github.com/bep/imagemeta"
)

// turn is an EXIF orientation: how a stored picture is to be turned to be seen
// as it was taken. 1 is upright, 2 to 4 mirror or turn by 180 degrees, 5 to 8
// also swap the sides.
type turn int

const upright turn = 1

func (t turn) swapsSides() bool { return t >= 5 }
func (t turn) mirrorsX() bool   { return t == 2 || t == 3 || t == 7 || t == 8 }
func (t turn) mirrorsY() bool   { return t == 3 || t == 4 || t == 6 || t == 7 }
func (t turn) isKnown() bool    { return 1 <= t && t <= 8 }

// orientation reads the turn from EXIF data (a TIFF structure). Absent or
// corrupt data mean upright: a photo is not refused for a fault in its notes.
//
// The library gets the bare structure, not the file: its own walk over WebP
// loses the data behind a chunk of odd length. Values of more than four bytes are
// left unread, so nothing in the data can send it in circles; its time limit is not
// used because the reader it abandons goes back into a pool while still in use.
func orientation(exif []byte) turn {
	found := upright
	if len(exif) == 0 {
		return found
	}
	_, err := imagemeta.Decode(imagemeta.Options{
		R:            bytes.NewReader(exif),
		ImageFormat:  imagemeta.TIFF,
		Sources:      imagemeta.EXIF,
		LimitTagSize: 4,
		ShouldHandleTag: func(tag imagemeta.TagInfo) bool {
			return tag.Namespace == "IFD0" && tag.Tag == "Orientation"
		},
		HandleTag: func(tag imagemeta.TagInfo) error {
			switch v := tag.Value.(type) {
			case uint16:
				found = turn(v)
			case uint32:
				found = turn(v)
			}
			return imagemeta.ErrStopWalking
		},
	})
	if err != nil || !found.isKnown() {
		return upright
	}
	return found
}
