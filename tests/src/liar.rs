//! A guest process that says what it likes to its host's socket, as native attacker code would (SECURITY.md §2.3): it writes frames by hand,
//! length, kind, payload.

use std::io::{Read as _, Write as _};
use std::os::fd::FromRawFd as _;
use std::os::unix::net::UnixStream;

pub(crate) const NOTE: u8 = 21;
pub(crate) const FACTS: u8 = 22;
pub(crate) const SAY: u8 = 16;
pub(crate) const CALL: u8 = 17;
pub(crate) const END: u8 = 18;
pub(crate) const ANSWER: u8 = 4;
pub(crate) const START: u8 = 3;
pub(crate) const REFUSED: u8 = 19;
pub(crate) const JAILED: u8 = 20;
pub(crate) const BOOT: u8 = 1;
/// Its socket belongs to the frame: so says the highest bit.
pub(crate) const FORK: u8 = 5 | 0x80;
pub(crate) const READY: u8 = 32;
pub(crate) const FORKED: u8 = 33;
pub(crate) const NOT_FORKED: u8 = 34;
/// What a process says of the walls around it where there are none.
pub(crate) const NO_WALLS: &[u8] =
    br#"{"huge_pages":false,"no_new_privileges":false,"landlock":false,"seccomp":false,"missing":[]}"#;

/// Frames that a run could send, then some of their bytes changed, moved, doubled or cut off.
pub(crate) fn mutated(seed: u64) -> Vec<u8> {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut stream = Vec::new();
    let mut append = |kind: u8, numbers: &[u32], text: &str| {
        let bytes = u32::try_from(numbers.len() * 4 + text.len()).unwrap_or(0);
        stream.extend_from_slice(&bytes.to_le_bytes());
        stream.push(kind);
        numbers.iter().for_each(|number| stream.extend_from_slice(&number.to_le_bytes()));
        stream.extend_from_slice(text.as_bytes());
    };
    for call in 1..=random.u32(1..20) {
        append(SAY, &[], "\u{1}a line");
        append(CALL, &[call, random.u32(0..8), 1, 1], r#"{"value":"lie"}"#);
    }
    append(END, &[0, 0, 0, 0], "\0\"an end\"");
    for _ in 0..random.usize(0..6) {
        let place = random.usize(..stream.len());
        match random.u8(0..4) {
            0 => stream[place] = random.u8(..),
            1 => stream.truncate(place + 1),
            2 => stream.extend_from_within(place..),
            _ => stream.insert(place, random.u8(..)),
        }
    }
    stream
}

/// A guest process that says what it likes.
pub(crate) struct Liar {
    pub(crate) socket: UnixStream,
}

impl Liar {
    pub(crate) fn of_host() -> Self {
        #[expect(unsafe_code, reason = "the socket of a guest process is its fourth descriptor")]
        // SAFETY: the host put its socket there, and nothing else in this process knows of it.
        let socket = unsafe { UnixStream::from_raw_fd(3) };
        Self { socket }
    }

    pub(crate) fn raw(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.socket.write_all(bytes)
    }

    pub(crate) fn frame(&mut self, kind: u8, payload: &[u8]) -> std::io::Result<()> {
        let length = u32::try_from(payload.len()).map_err(std::io::Error::other)?;
        self.raw(&[&length.to_le_bytes()[..], &[kind], payload].concat())
    }

    pub(crate) fn call(&mut self, id: u32, tool: u32, arguments: &[u8]) -> std::io::Result<()> {
        let numbers = [id, tool, 1, 1].map(u32::to_le_bytes);
        self.frame(CALL, &[numbers.as_flattened(), arguments].concat())
    }

    /// Returns the answer to a call, whatever it is.
    pub(crate) fn call_and_return(&mut self, tool: u32, arguments: &[u8]) -> std::io::Result<()> {
        self.call(1, tool, arguments)?;
        let (_, answer) = self.read(ANSWER)?;
        self.end(0, answer.get(5..).unwrap_or_default())
    }

    /// Says so many times that the program uses a name that there is not, as every execution does.
    pub(crate) fn facts(&mut self, count: usize) -> std::io::Result<()> {
        let fact = r#"{"line":1,"column":1,"is_reached":true,"said":{"Name":{"path":["nowhere"],"used":"Read"}}}"#;
        self.frame(FACTS, format!("[{}]", vec![fact; count].join(",")).as_bytes())
    }

    pub(crate) fn end(&mut self, ending: u8, text: &[u8]) -> std::io::Result<()> {
        self.end_at(ending, 0, text)
    }

    pub(crate) fn end_at(&mut self, ending: u8, line: u32, text: &[u8]) -> std::io::Result<()> {
        self.frame(END, &[&[ending], &line.to_le_bytes()[..], &line.to_le_bytes(), &[0; 8], text].concat())
    }

    pub(crate) fn noise(&mut self) -> std::io::Result<()> {
        let noise: Vec<u8> = std::iter::repeat_with(|| fastrand::u8(..)).take(1 << 20).collect();
        self.raw(&noise)
    }

    /// Reads frames until one of this kind.
    pub(crate) fn read(&mut self, wanted: u8) -> std::io::Result<(u8, Vec<u8>)> {
        loop {
            let mut header = [0; 5];
            self.socket.read_exact(&mut header)?;
            let [a, b, c, d, kind] = header;
            let mut payload = vec![0; u32::from_le_bytes([a, b, c, d]) as usize];
            self.socket.read_exact(&mut payload)?;
            if kind == wanted {
                return Ok((kind, payload));
            }
        }
    }
}
