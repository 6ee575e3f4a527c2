//! One value of a public error, under the name of its type and variant.

use std::error::Error;
use std::io;

/// One value, as `Type::Variant`.
pub(super) type Sample = (String, Box<dyn Error>);

/// The values of one type, each under its type and variant.
pub(super) fn of<E: Error + 'static>(errors: Vec<E>) -> impl Iterator<Item = Sample> {
    let name = |error: &E| {
        let kind = std::any::type_name::<E>().split('<').next().and_then(|name| name.rsplit("::").next()).unwrap_or_default();
        let debugged = format!("{error:?}");
        let variant = debugged.split([' ', '(']).next().unwrap_or_default();
        if variant == kind { kind.to_owned() } else { format!("{kind}::{variant}") }
    };
    errors.into_iter().map(move |error| (name(&error), Box::new(error) as Box<dyn Error>))
}

/// What a system says that has no such file.
pub(super) fn io_error() -> io::Error {
    io::Error::from_raw_os_error(rustix::io::Errno::NOENT.raw_os_error())
}
