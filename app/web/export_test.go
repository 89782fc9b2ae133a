package web

// Routes are method and path of every line of the table, with the paths as
// OpenAPI writes them.
func (s *Server) Routes() map[string]bool {
	all := map[string]bool{}
	for _, rt := range s.routes() {
		all[rt.method+" "+openAPIPath(rt.path)] = true
	}
	return all
}

func openAPIPath(path string) string {
	switch path {
	case "/{$}":
		return "/"
	case "/static/{file...}":
		return "/static/{file}"
	}
	return path
}

// Document is the OpenAPI document that is served.
func Document() []byte { return openAPIDocument }

// BodyMemoryTaken tells whether bodies hold all the memory there is for them.
func (s *Server) BodyMemoryTaken() bool {
	free := s.bodies.sem.TryAcquire(1)
	if free {
		s.bodies.sem.Release(1)
	}
	return !free
}

// SetBodyMemory bounds what the bodies of all requests together may hold.
func (s *Server) SetBodyMemory(n int64) { s.bodies = newGate(n, s.BusyWait) }
