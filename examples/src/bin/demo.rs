//! The demo: two users of one backend, their types, one program, and the same work the classic way.

fn main() -> anyhow::Result<()> {
    isolet::init();
    tokio::runtime::Runtime::new()?.block_on(isolet_examples::demo::demo())
}
