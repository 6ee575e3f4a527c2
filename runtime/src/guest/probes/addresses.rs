//! What memory a run may have: private, anonymous, counted, and executable with a JIT only.

use super::*;

#[test]
fn memory_is_executable_with_a_jit_only() {
    let map = || {
        let (rights, flags) = (libc::PROT_READ | libc::PROT_EXEC, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
        // SAFETY: new memory, which nothing uses.
        let mapped = unsafe { libc::mmap(std::ptr::null_mut(), 4096, rights, flags, -1, 0) };
        if mapped == libc::MAP_FAILED { REFUSED } else { FINE }
    };
    for run in RUNS {
        check(behind_walls(&BOOT, run, map), KILLED_BY_THE_LIST, "executable memory");
        check(behind_walls(&Boot { jit: Jit::On, ..BOOT }, run, map), FINE, "with a JIT");
        // With a JIT all other walls stand.
        check(behind_walls(&Boot { jit: Jit::On, ..BOOT }, run, open_a_file), KILLED_BY_THE_LIST, "open with a JIT");
    }
}

pub(super) const PAGE: i64 = 4096;
const ANONYMOUS: i64 = (libc::MAP_PRIVATE | libc::MAP_ANONYMOUS) as i64;

fn mapping(flags: i32) -> [i64; 6] {
    [0, PAGE, i64::from(libc::PROT_READ | libc::PROT_WRITE), flags.into(), -1, 0]
}

#[test]
fn memory_is_private_anonymous_and_counted() {
    check_allowed(&PLACES, &[("mmap", libc::SYS_mmap, mapping(libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE))]);
    let private = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
    check_killed(
        &PLACES,
        &[
            ("shared memory", libc::SYS_mmap, mapping(libc::MAP_SHARED | libc::MAP_ANONYMOUS)),
            ("validated shared memory", libc::SYS_mmap, mapping(libc::MAP_SHARED_VALIDATE | libc::MAP_ANONYMOUS)),
            ("a mapping of a file", libc::SYS_mmap, mapping(libc::MAP_PRIVATE)),
            ("a growing stack", libc::SYS_mmap, mapping(private | libc::MAP_GROWSDOWN)),
            ("locked memory", libc::SYS_mmap, mapping(private | libc::MAP_LOCKED)),
            ("the machine's huge pages", libc::SYS_mmap, mapping(private | libc::MAP_HUGETLB)),
            ("mremap that keeps the old place", libc::SYS_mremap, [0, PAGE, PAGE, 5, 0, 0]),
        ],
    );
    let advice = |advice: i32| [0, PAGE, advice.into(), 0, 0, 0];
    check_allowed(&PLACES, &[("madvise", libc::SYS_madvise, advice(libc::MADV_DONTNEED))]);
    check_killed(
        &PLACES,
        &[
            ("pages shared with others that have the same", libc::SYS_madvise, advice(libc::MADV_MERGEABLE)),
            ("pages put out of memory", libc::SYS_madvise, advice(libc::MADV_PAGEOUT)),
            ("huge pages", libc::SYS_madvise, advice(libc::MADV_HUGEPAGE)),
            ("a page that is poisoned", libc::SYS_madvise, advice(libc::MADV_HWPOISON)),
        ],
    );
}

/// Page tables count as nobody's memory: a terabyte of addresses that is read here and there would take two gigabytes of them.
#[test]
fn addresses_are_limited_with_data() {
    const TERABYTE: i64 = 1 << 40;
    let read_only =
        ("mmap", libc::SYS_mmap, [0, TERABYTE, i64::from(libc::PROT_READ), ANONYMOUS | i64::from(libc::MAP_NORESERVE), -1, 0]);
    for place in RUNS {
        let map = |limited: bool| {
            let act = move || {
                if limited {
                    jail::limit_data(1 << 30);
                }
                if make(read_only) == -1 { REFUSED } else { FINE }
            };
            behind_walls(&BOOT, place, act)
        };
        check(map(false), FINE, "a terabyte without a limit");
        check(map(true), REFUSED, "a terabyte");
        // What is occupied to keep V8 together is larger than that, and stays as it is.
        let reserved = i64::try_from(memory::RESERVED.start).unwrap_or(0);
        let in_place_of = ANONYMOUS | i64::from(libc::MAP_FIXED);
        let probes = [
            ("mmap", libc::SYS_mmap, [reserved, PAGE, i64::from(libc::PROT_READ), in_place_of, -1, 0]),
            ("mprotect", libc::SYS_mprotect, [reserved, PAGE, i64::from(libc::PROT_READ), 0, 0, 0]),
            ("munmap", libc::SYS_munmap, [reserved, PAGE, 0, 0, 0, 0]),
            ("mremap", libc::SYS_mremap, [reserved, PAGE, PAGE, 1, 0, 0]),
            ("madvise", libc::SYS_madvise, [reserved, PAGE, libc::MADV_DONTNEED.into(), 0, 0, 0]),
        ];
        for probe in probes {
            let ended = in_child(|| {
                memory::keep_v8_together();
                if !memory::is_v8_kept_together() {
                    return NO_WALL;
                }
                close_and_act(&BOOT, place, || if make(probe) < 0 { REFUSED } else { FINE })
            });
            let killed = if place == Place::ForkedRun { SIGNALLED + libc::SIGSYS } else { KILLED_BY_THE_LIST };
            check(ended, killed, probe.0);
        }
        // Elsewhere a place can be named, and V8 names it.
        let named = [1 << 30, PAGE, i64::from(libc::PROT_READ), ANONYMOUS, -1, 0];
        let map_elsewhere = || {
            let mapped = make(("mmap", libc::SYS_mmap, named));
            let again = [mapped, PAGE, i64::from(libc::PROT_READ), in_place_of, -1, 0];
            if mapped == -1 || make(("mmap", libc::SYS_mmap, again)) != mapped { REFUSED } else { FINE }
        };
        let named_places = in_child(|| {
            memory::keep_v8_together();
            close_and_act(&BOOT, place, map_elsewhere)
        });
        check(named_places, FINE, "a mapping at a place that is free or its own");
    }
}
