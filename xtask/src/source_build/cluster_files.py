#!/usr/bin/env python3
"""Groups V8's source files into clusters that are compiled as one.

V8's build description asks for this script (`v8/gni/cluster_build.gni`) when `v8_enable_cluster_build` is set, and the
package of the `v8` crate does not contain it. A cluster is a file that includes up to `--cluster-size` sources, so that
the headers and templates that they share are compiled once. GN calls it twice with the same sources: with
`--compute-filenames` for the names of the clusters, and with `--generate` for their text.

Sources of one folder share clusters and keep their order: within a folder V8 keeps names apart, across folders it does
not. A source that opens a namespace for the rest of the file goes last, where that rest is short. A source below one of
`--small-cluster-dirs` goes into smaller clusters, because those are heavy one by one.
"""

import argparse
import pathlib
import posixpath


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--compute-filenames", action="store_true")
    parser.add_argument("--generate", action="store_true")
    parser.add_argument("--cluster-size", type=int, required=True)
    parser.add_argument("--small-cluster-size", type=int, required=True)
    parser.add_argument("--small-cluster-dirs", action="append", default=[])
    parser.add_argument("--prefix", required=True)
    parser.add_argument("--output-dir", type=pathlib.Path)
    parser.add_argument("--strip-prefix", default="")
    parser.add_argument("--include-prefix", default="")
    parser.add_argument("sources", nargs="*")
    return parser.parse_args()


def opens_namespace(source):
    """Whether names of a namespace are visible to what comes after this source. One that is not made yet opens none."""
    path = pathlib.Path(source)
    return path.exists() and any(line.startswith("using namespace ") for line in path.read_text().splitlines())


def clusters(options):
    """The clusters as pairs of file name and sources."""
    folders = {}
    for source in options.sources:
        folders.setdefault(posixpath.dirname(source), []).append(source)
    groups = []
    for folder, sources in folders.items():
        sources.sort(key=opens_namespace)
        heavy = any(f"/{small}/" in f"{folder}/" for small in options.small_cluster_dirs)
        size = options.small_cluster_size if heavy else options.cluster_size
        groups += [sources[start:start + size] for start in range(0, len(sources), size)]
    return [(f"{options.prefix}-cluster-{number}.cc", group) for number, group in enumerate(groups)]


def main():
    options = arguments()
    for name, sources in clusters(options):
        if options.compute_filenames:
            print(name)
        if options.generate:
            lines = [f'#include "{options.include_prefix}{source.removeprefix(options.strip_prefix)}"' for source in sources]
            options.output_dir.mkdir(parents=True, exist_ok=True)
            (options.output_dir / name).write_text("\n".join(lines) + "\n")


main()
