package photo

import (
	"bytes"
	"encoding/binary"
)

// turn is an EXIF orientation: how a stored picture is to be turned to be seen
// as it was taken. 1 is upright, 2 to 4 mirror or turn by 180 degrees, 5 to 8
// also swap the sides.
type turn int

const upright turn = 1

func (t turn) swapsSides() bool { return t >= 5 }
func (t turn) mirrorsX() bool   { return t == 2 || t == 3 || t == 7 || t == 8 }
func (t turn) mirrorsY() bool   { return t == 3 || t == 4 || t == 6 || t == 7 }

// orientation reads the turn from EXIF data, a TIFF structure: the entry
// Orientation of the first directory. It passes over all other entries unread
// and follows no pointer but the first one, so nothing else in the data counts.
// What it cannot read is upright: a photo is not refused for a fault in its notes.
func orientation(exif []byte) turn {
	for bytes.HasPrefix(exif, []byte("Exif\x00\x00")) { // some programs write it twice
		exif = exif[6:]
	}
	var order binary.ByteOrder
	switch {
	case bytes.HasPrefix(exif, []byte("II*\x00")):
		order = binary.LittleEndian
	case bytes.HasPrefix(exif, []byte("MM\x00*")):
		order = binary.BigEndian
	default:
		return upright
	}
	if len(exif) < 8 {
		return upright
	}
	at := int64(order.Uint32(exif[4:]))
	if at+2 > int64(len(exif)) {
		return upright
	}
	entries := exif[at+2:]
	for range order.Uint16(exif[at:]) {
		if len(entries) < 12 {
			break
		}
		const tag, short, long = 0x0112, 3, 4
		if kind := order.Uint16(entries[2:]); order.Uint16(entries) == tag {
			value := uint32(order.Uint16(entries[8:]))
			if kind == long {
				value = order.Uint32(entries[8:])
			}
			if (kind == short || kind == long) && 1 <= value && value <= 8 {
				return turn(value)
			}
		}
		entries = entries[12:]
	}
	return upright
}
