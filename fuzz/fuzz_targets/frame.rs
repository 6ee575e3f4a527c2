//! Any bytes as what a guest process, a zygote or the maker of snapshots sends to the host: frames or an error, the same ones in whatever pieces
//! the bytes come, none longer than its direction allows, and each as it is written again.

#![no_main]

#[allow(dead_code, reason = "the host's side of it is what is fuzzed")]
#[path = "../../runtime/src/contract/mod.rs"]
mod contract;

use std::fmt::Debug;

use contract::codec::{Decode, Decoder, Encode, FrameError, HostMaxima, Maxima, encoded};
use contract::maker::{FromMaker, MakerMaxima};
use contract::run::{FromRun, RunMaxima};
use contract::zygote::{FromZygote, ZygoteMaxima};
use libfuzzer_sys::fuzz_target;

/// The frames of a stream that comes in pieces of so many bytes, and what ended it if it was no frame.
fn frames<Frame: Decode>(bytes: &[u8], piece: usize, maxima: &impl Maxima) -> (Vec<(Frame, bool)>, Option<FrameError>) {
    let (mut decoder, mut frames) = (Decoder::default(), Vec::new());
    for piece in bytes.chunks(piece) {
        decoder.buffer().extend_from_slice(piece);
        loop {
            match decoder.next_with_flag(maxima) {
                Ok(Some(frame)) => frames.push(frame),
                Ok(None) => break,
                Err(error) => return (frames, Some(error)),
            }
        }
        // What waits for more is known to be allowed, and how much is missing.
        assert!(decoder.missing() > 0);
        assert!(decoder.next_bytes(&HostMaxima).is_ok());
    }
    (frames, None)
}

fn hold<Frame: Decode + Encode + Debug + PartialEq>(bytes: &[u8], piece: usize, maxima: &impl Maxima) {
    let whole = frames::<Frame>(bytes, bytes.len().max(1), maxima);
    assert_eq!(frames::<Frame>(bytes, piece, maxima), whole);
    for (frame, has_descriptor) in whole.0 {
        let again = encoded(&frame, has_descriptor);
        assert_eq!(frames::<Frame>(&again, again.len(), &HostMaxima), (vec![(frame, has_descriptor)], None));
    }
}

fuzz_target!(|bytes: &[u8]| {
    let [from, piece, bytes @ ..] = bytes else { return };
    let piece = usize::from(*piece).max(1);
    match from % 3 {
        0 => hold::<FromRun>(bytes, piece, &RunMaxima { argument_bytes_max: 64, result_bytes_max: 64 }),
        1 => hold::<FromZygote>(bytes, piece, &ZygoteMaxima),
        _ => hold::<FromMaker>(bytes, piece, &MakerMaxima),
    }
});
