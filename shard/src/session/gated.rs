//! Output that may not leave before an epoch of the log is complete.
//!
//! ```text
//!   ready      may leave
//!   out        ├─ mark.1 bytes: wait for the barrier mark.0 ─┼─ the rest: waits for the barrier `gate` ─┤
//! ```
//!
//! Replies are written to the session's output as ever. What may leave is handed over whole, as the same vector. Only a
//! client that sends on without waiting has output of two epochs at a time; then the later part is moved.

/// What is held of one connection's output.
#[derive(Debug, Default)]
pub struct Gated {
    /// What may leave.
    pub ready: Vec<u8>,
    /// The connection is in its core's list of those with something held.
    pub is_held: bool,
    /// The barrier that all output waits for, and how much of it there was when that was last looked at.
    gate: u64,
    seen: usize,
    /// So many bytes wait for an earlier barrier only.
    mark: Option<(u64, usize)>,
}

impl Gated {
    /// What has come to `out` since the last time waits for the barrier `gate`. What was there already waits no longer.
    pub fn hold(&mut self, gate: u64, out: &[u8]) {
        if gate > self.gate && out.len() > self.seen {
            if self.seen > 0 && self.mark.is_none() {
                self.mark = Some((self.gate, self.seen));
            }
            self.gate = gate;
        }
        self.seen = out.len();
    }

    /// Whether nothing has come to `out` since the last time.
    pub fn has_seen(&self, out: &[u8]) -> bool {
        out.len() == self.seen
    }

    /// The barrier that the first of what is held waits for.
    pub fn first_gate(&self) -> u64 {
        self.mark.map_or(self.gate, |(gate, _)| gate)
    }

    /// Makes ready what may leave of `out`; whether anything is ready.
    pub fn release(&mut self, out: &mut Vec<u8>, is_complete: impl Fn(u64) -> bool) -> bool {
        if is_complete(self.gate) {
            self.mark = None;
            self.seen = 0;
            self.make_ready(out);
        } else if let Some((gate, bytes)) = self.mark
            && is_complete(gate)
        {
            // The output of a client that is cut is dropped.
            let bytes = bytes.min(out.len());
            let mut rest = out.split_off(bytes);
            std::mem::swap(out, &mut rest);
            self.seen = self.seen.saturating_sub(bytes);
            self.mark = None;
            self.make_ready(&mut rest);
        }
        !self.ready.is_empty()
    }

    fn make_ready(&mut self, bytes: &mut Vec<u8>) {
        if self.ready.is_empty() {
            std::mem::swap(&mut self.ready, bytes);
        } else {
            self.ready.append(bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_leaves_epoch_by_epoch() {
        let (mut gated, mut out) = (Gated::default(), b"a".to_vec());
        gated.hold(1, &out);
        assert!(!gated.release(&mut out, |gate| gate < 1));
        out.extend_from_slice(b"b");
        gated.hold(2, &out);
        assert_eq!(gated.first_gate(), 1);
        assert!(gated.release(&mut out, |gate| gate <= 1));
        assert_eq!((gated.ready.as_slice(), out.as_slice()), (&b"a"[..], &b"b"[..]));
        out.extend_from_slice(b"c");
        gated.hold(3, &out);
        assert!(gated.release(&mut out, |gate| gate <= 2));
        assert_eq!((gated.ready.as_slice(), out.as_slice()), (&b"ab"[..], &b"c"[..]));
        assert!(gated.release(&mut out, |gate| gate <= 3));
        assert_eq!((gated.ready.as_slice(), out.len()), (&b"abc"[..], 0));
    }

    #[test]
    fn what_is_held_does_not_wait_for_later_epochs() {
        let (mut gated, mut out) = (Gated::default(), b"a".to_vec());
        gated.hold(1, &out);
        gated.hold(2, &out);
        assert!(gated.release(&mut out, |gate| gate <= 1));
        assert_eq!((gated.ready.as_slice(), out.len()), (&b"a"[..], 0));
    }

    #[test]
    fn what_passes_waits_for_what_is_before_it_only() {
        let (mut gated, mut out) = (Gated::default(), b"busy".to_vec());
        assert!(!gated.has_seen(&out) && gated.has_seen(b""));
        gated.hold(0, &out);
        gated.hold(7, &out);
        assert!(gated.release(&mut out, |gate| gate == 0));
        gated.ready.clear();
        out.extend_from_slice(b"reply");
        gated.hold(7, &out);
        out.extend_from_slice(b"busy");
        gated.hold(0, &out);
        assert!(!gated.release(&mut out, |gate| gate == 0), "behind what is held");
        assert!(gated.release(&mut out, |gate| gate <= 7));
        assert_eq!((gated.ready.as_slice(), out.len()), (&b"replybusy"[..], 0));
    }

    #[test]
    fn what_waits_for_nothing_is_handed_over_as_it_is() {
        let (mut gated, mut out) = (Gated::default(), b"reply".to_vec());
        let address = out.as_ptr();
        gated.hold(0, &out);
        assert!(gated.release(&mut out, |gate| gate == 0));
        assert_eq!(gated.ready.as_ptr(), address);
    }
}
