package web

// SetBodyMemory bounds what the bodies of all requests together may hold.
func (s *Server) SetBodyMemory(n int64) { s.bodies = newGate(n, s.BusyWait) }
