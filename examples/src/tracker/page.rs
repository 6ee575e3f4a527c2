//! Pages of a listing, and the cursor that continues it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{error::TrackerError, role::Caller};

const PAGE_ROWS_DEFAULT: u32 = 30;
/// The most rows on one page; the schema of [`Limit`] says so too.
const PAGE_ROWS_MAX: u32 = 100;
const _: () = assert!(PAGE_ROWS_DEFAULT <= PAGE_ROWS_MAX);

/// Rows on a page.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[schemars(inline)]
pub(crate) struct Limit(#[schemars(range(min = 1, max = 100))] u32);

/// One page of a listing.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(inline)]
pub(crate) struct Page<T> {
    pub(crate) items: Vec<T>,
    /// Pass it as `cursor`, with otherwise the same arguments, for the next page. Null on the last page.
    pub(crate) next_cursor: Option<String>,
    /// Rows on all pages together.
    pub(crate) total: usize,
}

impl<T> Page<T> {
    /// Cuts the page out of `rows`, the whole listing in its final order.
    ///
    /// A cursor is an offset and the hash of the query that it belongs to: rows written in between may shift a page.
    pub(crate) fn of(
        rows: Vec<T>,
        caller: &Caller,
        tool: &str,
        limit: Option<Limit>,
        cursor: Option<&str>,
    ) -> Result<Self, TrackerError> {
        let offset = cursor.map_or(Ok(0), |cursor| offset(cursor, caller.query, tool))?;
        let total = rows.len();
        let size = limit.map_or(PAGE_ROWS_DEFAULT, |limit| limit.0.min(PAGE_ROWS_MAX)) as usize;
        let items: Vec<T> = rows.into_iter().skip(offset).take(size).collect();
        let end = offset.saturating_add(items.len());
        let next_cursor = (end < total).then(|| format!("{end:x}.{:016x}", caller.query));
        Ok(Self { items, next_cursor, total })
    }
}

fn offset(cursor: &str, query: u64, tool: &str) -> Result<usize, TrackerError> {
    cursor
        .split_once('.')
        .filter(|(_, of_query)| u64::from_str_radix(of_query, 16) == Ok(query))
        .and_then(|(offset, _)| usize::from_str_radix(offset, 16).ok())
        .ok_or_else(|| TrackerError::InvalidArguments {
            tool: tool.to_owned(),
            reason: format!(
                "`cursor` `{cursor}` does not continue this listing: pass the `next_cursor` of the page before with otherwise \
                 the same arguments, or none to start again"
            ),
        })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::*;
    use crate::tracker::role::Role;

    fn caller(query: u64) -> Caller {
        Caller { handle: "ada".to_owned(), role: Role::Admin, query }
    }

    #[test]
    fn pages_give_every_row_once_and_the_last_has_no_cursor() {
        let rows: Vec<u32> = (0..25).collect();
        let (mut seen, mut cursor) = (Vec::new(), None);
        loop {
            let page = Page::of(rows.clone(), &caller(7), "list", Some(Limit(10)), cursor.as_deref()).unwrap();
            assert_eq!(page.total, 25);
            seen.extend(page.items);
            cursor = page.next_cursor;
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!(seen, rows);
    }

    #[test]
    fn a_full_last_page_has_no_cursor() {
        let page = Page::of(vec![1, 2], &caller(7), "list", Some(Limit(2)), None).unwrap();
        assert_eq!(page.next_cursor, None);
    }

    #[test]
    fn a_cursor_of_another_query_or_of_nobody_is_refused() {
        let page = Page::of(vec![1, 2, 3], &caller(7), "list", Some(Limit(2)), None).unwrap();
        let cursor = page.next_cursor.unwrap();
        assert!(Page::of(vec![1, 2, 3], &caller(7), "list", None, Some(&cursor)).is_ok());
        for (query, cursor) in [(8, cursor.as_str()), (7, ""), (7, "2"), (7, "x.7"), (7, ".")] {
            let error = Page::of(vec![1, 2, 3], &caller(query), "list", None, Some(cursor)).unwrap_err();
            assert_eq!(error.code(), "invalid_arguments", "{cursor}");
        }
    }
}
