//! For tests only: a pseudo-terminal, a sandbox with stub tools.
