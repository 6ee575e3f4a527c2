//! The application: runs the program that is its argument.

use embedder::{Clocks, catalog};
use isolet::{Config, Grants, Runtime};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // First: where this process was started to be a guest, it becomes one here.
    isolet::init();
    tokio::runtime::Runtime::new()?.block_on(async {
        let runtime = Runtime::new(Config::default())?;
        let scope = catalog()?.scope(&Grants::new().allow("clock.*"))?;
        let session = runtime.session(scope, Clocks { hours: vec![("Oslo", 12), ("Tokyo", 20)] });
        let program = std::env::args().nth(1).unwrap_or_else(|| "return await clock.hour({ city: 'Oslo' })".to_owned());
        println!("{}", session.run(&program).await?.end);
        Ok(())
    })
}
