//! The frames between host and guest process: how one is written and read.
//!
//! A frame is its payload's length (u32, little endian), its kind (u8) and the payload: fixed numbers, then one text or byte
//! string that runs to the end. Every kind has a maximum, checked on the length prefix before a byte of payload is kept.
//! What the host reads is hostile input: anything that is not exactly a frame is a [`FrameError`], which costs the run its
//! process (SECURITY.md S-36).

use serde::{Deserialize, Serialize};

/// Bytes before the payload.
const HEADER_BYTES: usize = 5;

/// Bytes that are no frame.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FrameError {
    #[error("a frame of kind {kind} has {bytes} bytes, at most {bytes_max} are allowed")]
    TooLong { kind: u8, bytes: usize, bytes_max: usize },
    #[error("there is no frame of kind {kind} in this direction")]
    UnknownKind { kind: u8 },
    #[error("a frame of kind {kind} is not well formed")]
    Malformed { kind: u8 },
}

/// The longest frames of a direction, bytes of payload by kind.
pub(crate) trait Maxima {
    /// `None` for a kind that does not exist.
    fn bytes_max(&self, kind: u8) -> Option<usize>;
}

/// The longest text about a process.
pub(super) const PROCESS_BYTES_MAX: usize = 64 << 10;

/// The host is trusted: no maximum but that of the length prefix.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HostMaxima;

impl Maxima for HostMaxima {
    fn bytes_max(&self, _kind: u8) -> Option<usize> {
        Some(u32::MAX as usize)
    }
}

/// Memory that a decoder keeps for further frames.
const KEPT_BYTES_MAX: usize = 256 << 10;

/// Takes frames out of a stream of bytes.
#[derive(Debug, Default)]
pub(crate) struct Decoder {
    buffer: Vec<u8>,
    taken: usize,
}

impl Decoder {
    /// The place for the next bytes: read into it with `extend`.
    pub(crate) fn buffer(&mut self) -> &mut Vec<u8> {
        if self.taken > 0 {
            self.buffer.drain(..self.taken);
            self.taken = 0;
        }
        &mut self.buffer
    }

    /// The next whole frame, `None` while it has not come whole.
    pub(crate) fn next<Frame: Decode>(&mut self, maxima: &impl Maxima) -> Result<Option<Frame>, FrameError> {
        Ok(self.take(maxima, 0)?.map(|(frame, _)| frame))
    }

    /// As [`Self::next`], on a socket that carries descriptors: whether one belongs to the frame.
    pub(crate) fn next_with_flag<Frame: Decode>(&mut self, maxima: &impl Maxima) -> Result<Option<(Frame, bool)>, FrameError> {
        self.take(maxima, WITH_DESCRIPTOR)
    }

    /// The bytes up to the end of the header, or of the frame, that is being read: none of the next frame.
    pub(crate) fn missing(&self) -> usize {
        let read = self.buffer.len() - self.taken;
        match self.header() {
            None => HEADER_BYTES - read,
            Some((bytes, _)) => (HEADER_BYTES + bytes).saturating_sub(read),
        }
    }

    /// The next frame, and whether its kind has the bits of `flag`.
    fn take<Frame: Decode>(&mut self, maxima: &impl Maxima, flag: u8) -> Result<Option<(Frame, bool)>, FrameError> {
        let Some((kind, is_flagged, bytes)) = self.announced(maxima, flag)? else {
            return Ok(None);
        };
        let start = self.taken + HEADER_BYTES;
        let Some(payload) = self.buffer.get(start..start + bytes) else {
            return Ok(None);
        };
        let frame = Frame::decode(kind, Payload { kind, bytes: payload })?;
        self.taken = start + bytes;
        if self.taken == self.buffer.len() && self.buffer.capacity() > KEPT_BYTES_MAX {
            *self = Self::default();
        }
        Ok(Some((frame, is_flagged)))
    }

    /// The bytes of payload that the next frame has, once its length has come: they may still be on their way.
    pub(crate) fn next_bytes(&self, maxima: &impl Maxima) -> Result<Option<usize>, FrameError> {
        Ok(self.announced(maxima, 0)?.map(|(_, _, bytes)| bytes))
    }

    /// Length and kind, flags included, of the next frame, once its header has come.
    fn header(&self) -> Option<(usize, u8)> {
        let [a, b, c, d, kind] = *self.buffer[self.taken..].first_chunk::<HEADER_BYTES>()?;
        Some((u32::from_le_bytes([a, b, c, d]) as usize, kind))
    }

    /// Kind and length of the next frame, if it may be so long, and whether the kind has the bits of `flag`.
    fn announced(&self, maxima: &impl Maxima, flag: u8) -> Result<Option<(u8, bool, usize)>, FrameError> {
        let Some((bytes, flagged)) = self.header() else {
            return Ok(None);
        };
        let (kind, is_flagged) = (flagged & !flag, flagged & flag != 0);
        let bytes_max = maxima.bytes_max(kind).ok_or(FrameError::UnknownKind { kind })?;
        if bytes > bytes_max {
            Err(FrameError::TooLong { kind, bytes, bytes_max })
        } else {
            Ok(Some((kind, is_flagged, bytes)))
        }
    }
}

/// A frame that can be written.
pub(crate) trait Encode {
    /// Appends the frame.
    fn encode(&self, to: &mut Vec<u8>);
}

/// A frame that can be read.
pub(crate) trait Decode: Sized {
    /// Reads a payload; it must be used up.
    fn decode(kind: u8, payload: Payload<'_>) -> Result<Self, FrameError>;
}

/// Beside a kind: a descriptor belongs to the frame. Only on sockets that carry descriptors; elsewhere there is no such kind.
const WITH_DESCRIPTOR: u8 = 0x80;

/// A frame for a socket that carries descriptors, and says whether one belongs to it.
pub(crate) fn encoded(frame: &impl Encode, with_descriptor: bool) -> Vec<u8> {
    let mut bytes = Vec::new();
    frame.encode(&mut bytes);
    if let Some(kind) = bytes.get_mut(HEADER_BYTES - 1).filter(|_| with_descriptor) {
        *kind |= WITH_DESCRIPTOR;
    }
    bytes
}

/// Writes one frame: its numbers, then its text.
pub(super) fn write(to: &mut Vec<u8>, kind: u8, numbers: &[&[u8]], text: &[u8]) {
    to.reserve(HEADER_BYTES + numbers.iter().map(|number| number.len()).sum::<usize>() + text.len());
    write_head(to, kind, numbers, text.len());
    to.extend_from_slice(text);
}

/// Writes one frame but for its text, which has so many bytes.
pub(super) fn write_head(to: &mut Vec<u8>, kind: u8, numbers: &[&[u8]], text_bytes: usize) {
    let bytes = numbers.iter().map(|number| number.len()).sum::<usize>() + text_bytes;
    // A longer frame cannot be written by either side: every text has a limit far below, whatever a configuration says.
    let prefix = u32::try_from(bytes).unwrap_or(u32::MAX);
    to.extend_from_slice(&prefix.to_le_bytes());
    to.push(kind);
    for number in numbers {
        to.extend_from_slice(number);
    }
}

/// The JSON of a value of ours; it cannot fail for these types. If it did, there would be no text, which every reader refuses: it is
/// closed, never open.
pub(super) fn json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).unwrap_or_default()
}

/// The unread part of a payload.
pub(crate) struct Payload<'a> {
    kind: u8,
    bytes: &'a [u8],
}

impl<'a> Payload<'a> {
    pub(super) fn malformed(&self) -> FrameError {
        FrameError::Malformed { kind: self.kind }
    }

    pub(super) fn take<const BYTES: usize>(&mut self) -> Result<[u8; BYTES], FrameError> {
        let (taken, rest) = self.bytes.split_first_chunk::<BYTES>().ok_or_else(|| self.malformed())?;
        self.bytes = rest;
        Ok(*taken)
    }

    pub(super) fn u8(&mut self) -> Result<u8, FrameError> {
        self.take::<1>().map(|[byte]| byte)
    }

    pub(super) fn u32(&mut self) -> Result<u32, FrameError> {
        self.take().map(u32::from_le_bytes)
    }

    pub(super) fn i32(&mut self) -> Result<i32, FrameError> {
        self.take().map(i32::from_le_bytes)
    }

    pub(super) fn u64(&mut self) -> Result<u64, FrameError> {
        self.take().map(u64::from_le_bytes)
    }

    pub(super) fn text(&mut self) -> Result<String, FrameError> {
        let text = std::str::from_utf8(self.bytes).map_err(|_| self.malformed())?;
        self.bytes = &[];
        Ok(text.to_owned())
    }

    pub(super) fn json<Value: for<'de> Deserialize<'de>>(&mut self) -> Result<Value, FrameError> {
        let value = serde_json::from_slice(self.bytes).map_err(|_| self.malformed())?;
        self.bytes = &[];
        Ok(value)
    }

    pub(super) fn rest(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.bytes).to_vec()
    }

    pub(super) fn bytes(&mut self, length: u32) -> Result<&'a [u8], FrameError> {
        let (taken, rest) = self.bytes.split_at_checked(length as usize).ok_or_else(|| self.malformed())?;
        self.bytes = rest;
        Ok(taken)
    }

    pub(super) fn end<Frame>(self, frame: Frame) -> Result<Frame, FrameError> {
        if self.bytes.is_empty() { Ok(frame) } else { Err(self.malformed()) }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

    use proptest::prelude::*;

    use super::*;
    use crate::contract::boot::Walls;
    use crate::contract::kind::{ANSWER, BOOT, CALL, FORKED, JAILED, MADE, NOT_FORKED, READY, SAY, START};
    use crate::contract::maker::{FromMaker, MakerMaxima, SNAPSHOT_BYTES_MAX};
    use crate::contract::run::{Ending, FromRun, RunMaxima, SAY_BYTES_MAX, ToRun};
    use crate::contract::zygote::{FromZygote, RefusedCall, ToZygote, ZygoteMaxima};

    const MAXIMA: RunMaxima = RunMaxima { argument_bytes_max: 100, result_bytes_max: 100 };
    const GENEROUS: RunMaxima = RunMaxima { argument_bytes_max: 1000, result_bytes_max: 1000 };

    fn bytes_of(frame: &impl Encode) -> Vec<u8> {
        let mut bytes = Vec::new();
        frame.encode(&mut bytes);
        bytes
    }

    #[track_caller]
    fn check(bytes: &[u8], expected: &Result<Option<FromRun>, FrameError>) {
        let mut decoder = Decoder::default();
        decoder.buffer().extend_from_slice(bytes);
        assert_eq!(&decoder.next::<FromRun>(&MAXIMA), expected);
    }

    #[test]
    fn frames_come_back_as_they_were_sent() {
        let frames = [
            FromRun::Say { level: 3, text: "grüße".into() },
            FromRun::Call { call: 1, tool: 7, line: 3, column: 9, arguments: "{}".into() },
            FromRun::End { ending: Ending::Returned, line: 0, column: 0, heap_bytes: 5, text: "null".into() },
        ];
        let mut decoder = Decoder::default();
        for frame in &frames {
            frame.encode(decoder.buffer());
        }
        for frame in frames {
            assert_eq!(decoder.next(&MAXIMA), Ok(Some(frame)));
        }
        assert_eq!(decoder.next::<FromRun>(&MAXIMA), Ok(None));
    }

    #[test]
    fn a_frame_is_not_there_before_its_last_byte() {
        let bytes = bytes_of(&FromRun::Say { level: 1, text: "hello".into() });
        check(&bytes[..bytes.len() - 1], &Ok(None));
        check(&bytes, &Ok(Some(FromRun::Say { level: 1, text: "hello".into() })));
    }

    #[test]
    fn an_oversize_length_is_refused_before_the_payload() {
        check(
            &[0xff, 0xff, 0xff, 0xff, SAY],
            &Err(FrameError::TooLong { kind: SAY, bytes: 0xffff_ffff, bytes_max: SAY_BYTES_MAX }),
        );
    }

    #[test]
    fn a_frame_of_the_other_direction_is_refused() {
        check(
            &bytes_of(&ToRun::Answer { call: 1, succeeded: true, text: "1".into() }),
            &Err(FrameError::UnknownKind { kind: ANSWER }),
        );
    }

    #[test]
    fn a_short_frame_and_one_that_is_not_utf8_are_refused() {
        check(&[3, 0, 0, 0, CALL, 1, 2, 3], &Err(FrameError::Malformed { kind: CALL }));
        check(&[2, 0, 0, 0, SAY, 1, 0xff], &Err(FrameError::Malformed { kind: SAY }));
    }

    /// What the decoder makes of bytes: frames until there is none, or none can be.
    fn decoded<Frame: Decode>(bytes: &[u8], maxima: &impl Maxima) -> Vec<Frame> {
        let mut decoder = Decoder::default();
        decoder.buffer().extend_from_slice(bytes);
        std::iter::from_fn(|| decoder.next(maxima).ok().flatten()).collect()
    }

    /// The bytes of texts in frames of a run: what they keep allocated.
    fn text_bytes(frames: &[FromRun]) -> usize {
        let text = |frame: &FromRun| match frame {
            FromRun::Say { text, .. } | FromRun::Note { text } | FromRun::End { text, .. } => text.len(),
            FromRun::Call { arguments, .. } => arguments.len(),
            FromRun::Refused { reason } => reason.len(),
            FromRun::Jailed { walls } => walls.missing.iter().map(String::len).sum(),
        };
        frames.iter().map(text).sum()
    }

    fn frames_of_runs() -> impl Strategy<Value = FromRun> {
        let ending = prop_oneof![Just(Ending::Returned), Just(Ending::Threw), Just(Ending::TooLarge), Just(Ending::Deadlock)];
        prop_oneof![
            (any::<u8>(), ".{0,40}").prop_map(|(level, text)| FromRun::Say { level, text }),
            (any::<[u32; 4]>(), ".{0,40}").prop_map(|([call, tool, line, column], arguments)| FromRun::Call {
                call,
                tool,
                line,
                column,
                arguments
            }),
            (ending, any::<[u32; 2]>(), any::<u64>(), ".{0,40}").prop_map(|(ending, [line, column], heap_bytes, text)| {
                FromRun::End { ending, line, column, heap_bytes, text }
            }),
            ".{0,40}".prop_map(|text| FromRun::Note { text }),
            ".{0,40}".prop_map(|reason| FromRun::Refused { reason }),
            (any::<[bool; 4]>(), proptest::collection::vec(".{0,20}", 0..3)).prop_map(
                |([huge_pages, no_new_privileges, landlock, seccomp], missing)| FromRun::Jailed {
                    walls: Walls { huge_pages, no_new_privileges, landlock, seccomp, missing }
                }
            ),
        ]
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_are_frames_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
            let frames = decoded::<FromRun>(&bytes, &MAXIMA);
            prop_assert!(text_bytes(&frames) <= bytes.len());
            decoded::<FromZygote>(&bytes, &ZygoteMaxima);
            decoded::<ToRun>(&bytes, &HostMaxima);
            decoded::<ToZygote>(&bytes, &HostMaxima);
        }

        #[test]
        fn frames_come_back_however_they_are_cut(
            frames in proptest::collection::vec(frames_of_runs(), 0..8),
            chunk_bytes in 1_usize..50,
        ) {
            let stream: Vec<u8> = frames.iter().flat_map(bytes_of).collect();
            let (mut decoder, mut back) = (Decoder::default(), Vec::new());
            for chunk in stream.chunks(chunk_bytes) {
                decoder.buffer().extend_from_slice(chunk);
                while let Some(frame) = decoder.next::<FromRun>(&GENEROUS).unwrap() {
                    back.push(frame);
                }
            }
            prop_assert_eq!(back, frames);
        }

        #[test]
        fn a_changed_frame_is_another_one_or_refused(
            frames in proptest::collection::vec(frames_of_runs(), 1..5),
            changes in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 1..4),
            cut in any::<proptest::sample::Index>(),
        ) {
            let mut stream: Vec<u8> = frames.iter().flat_map(bytes_of).collect();
            for (place, byte) in &changes {
                let place = place.index(stream.len());
                stream[place] = *byte;
            }
            stream.truncate(cut.index(stream.len()) + 1);
            let changed = decoded::<FromRun>(&stream, &GENEROUS);
            prop_assert!(text_bytes(&changed) <= stream.len());
        }
    }

    #[test]
    fn nothing_is_kept_of_a_frame_whose_length_is_a_lie() {
        let mut decoder = Decoder::default();
        let longest = u32::try_from(16 + MAXIMA.argument_bytes_max * 3).unwrap();
        decoder.buffer().extend_from_slice(&longest.to_le_bytes());
        decoder.buffer().extend_from_slice(&[CALL, 1, 2, 3]);
        assert_eq!(decoder.next::<FromRun>(&MAXIMA), Ok(None), "it may still come");
        assert!(decoder.buffer().capacity() < 64, "memory for it: {}", decoder.buffer().capacity());
        let mut decoder = Decoder::default();
        decoder.buffer().extend_from_slice(&(longest + 1).to_le_bytes());
        decoder.buffer().push(CALL);
        assert!(matches!(decoder.next::<FromRun>(&MAXIMA), Err(FrameError::TooLong { .. })));
    }

    #[test]
    fn a_maker_says_its_build_and_a_snapshot_of_any_bytes() {
        let frames = [FromMaker::Build { build: [7; 32] }, FromMaker::Made { snapshot: vec![0xff, 0, 0xfe] }];
        let mut decoder = Decoder::default();
        for frame in &frames {
            frame.encode(decoder.buffer());
        }
        for frame in frames {
            assert_eq!(decoder.next(&MakerMaxima), Ok(Some(frame)));
        }
    }

    #[test]
    fn a_snapshot_beyond_its_maximum_is_refused_before_its_bytes() {
        let bytes = SNAPSHOT_BYTES_MAX + 1;
        let mut decoder = Decoder::default();
        decoder.buffer().extend_from_slice(&u32::try_from(bytes).unwrap_or(0).to_le_bytes());
        decoder.buffer().push(MADE);
        let refused = FrameError::TooLong { kind: MADE, bytes, bytes_max: SNAPSHOT_BYTES_MAX };
        assert_eq!(decoder.next::<FromMaker>(&MakerMaxima), Err(refused));
    }

    #[test]
    fn a_text_that_could_not_be_made_is_refused_by_who_reads_it() {
        let empty = |kind| Payload { kind, bytes: &[] };
        assert_eq!(FromZygote::decode(READY, empty(READY)), Err(FrameError::Malformed { kind: READY }));
        assert_eq!(FromRun::decode(JAILED, empty(JAILED)), Err(FrameError::Malformed { kind: JAILED }));
        assert_eq!(ToRun::decode(BOOT, empty(BOOT)), Err(FrameError::Malformed { kind: BOOT }));
        assert_eq!(ToZygote::decode(BOOT, empty(BOOT)), Err(FrameError::Malformed { kind: BOOT }));
        let start = Payload { kind: START, bytes: &[0, 0, 0, 0, b'1'] };
        assert_eq!(ToRun::decode(START, start), Err(FrameError::Malformed { kind: START }));
    }

    #[test]
    fn a_run_cannot_say_that_a_descriptor_belongs_to_its_frame() {
        let bytes = encoded(&FromRun::Say { level: 1, text: "hello".into() }, true);
        check(&bytes, &Err(FrameError::UnknownKind { kind: SAY | WITH_DESCRIPTOR }));
    }

    #[test]
    fn a_refused_call_comes_back_and_an_unknown_one_is_refused() {
        for call in RefusedCall::ALL {
            let frame = FromZygote::NotForked { run: 7, call, error: 24 };
            assert_eq!(decoded::<FromZygote>(&bytes_of(&frame), &ZygoteMaxima), [frame], "{}", call.name());
        }
        let unknown = Payload { kind: NOT_FORKED, bytes: &[7, 0, 0, 0, 0, 0, 0, 0, 3, 24, 0, 0, 0] };
        assert_eq!(FromZygote::decode(NOT_FORKED, unknown), Err(FrameError::Malformed { kind: NOT_FORKED }));
    }

    #[test]
    fn trailing_bytes_are_refused() {
        let mut decoder = Decoder::default();
        decoder.buffer().extend_from_slice(&[13, 0, 0, 0, FORKED, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13]);
        assert!(matches!(decoder.next::<FromZygote>(&ZygoteMaxima), Err(FrameError::TooLong { .. })));
        assert_eq!(
            FromZygote::decode(FORKED, Payload { kind: FORKED, bytes: &[0; 13] }),
            Err(FrameError::Malformed { kind: FORKED })
        );
    }
}
