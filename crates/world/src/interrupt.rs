//! Ctrl-C and its kin. The first asks us to stop at the next safe place, the second ends the process at once.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag;

static ASKED: OnceLock<Arc<AtomicBool>> = OnceLock::new();

/// Listens from now on. Before it, a signal ends the process as usual.
pub fn listen() {
    ASKED.get_or_init(|| {
        let asked = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            // In this order: the shutdown looks at what the flag was before this signal.
            let second = flag::register_conditional_shutdown(signal, 130, Arc::clone(&asked));
            let first = flag::register(signal, Arc::clone(&asked));
            debug_assert!(second.is_ok() && first.is_ok(), "these signals can be caught");
        }
        asked
    });
}

/// Whether somebody wants us to stop.
#[must_use]
pub fn asked() -> bool {
    ASKED.get().is_some_and(|asked| asked.load(Ordering::Relaxed))
}
