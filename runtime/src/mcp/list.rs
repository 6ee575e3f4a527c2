//! What servers list beside tools, as the protocol calls it.

use rmcp::ErrorData;
use rmcp::model::PaginatedRequestParams;

use crate::host::wanted::Wanted;

/// One of the lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum List {
    Resources,
    Templates,
    Prompts,
}

impl List {
    /// The method that asks for it.
    pub(super) fn method(self) -> &'static str {
        match self {
            Self::Resources => "resources/list",
            Self::Templates => "resources/templates/list",
            Self::Prompts => "prompts/list",
        }
    }

    /// The member of the result that has it.
    pub(super) fn member(self) -> &'static str {
        match self {
            Self::Resources => "resources",
            Self::Templates => "resourceTemplates",
            Self::Prompts => "prompts",
        }
    }

    /// The member of an element that it is known by.
    pub(super) fn known_by(self) -> &'static str {
        match self {
            Self::Resources => "uri",
            Self::Templates => "uriTemplate",
            Self::Prompts => "name",
        }
    }

    /// What a host is asked for it by.
    pub(super) fn wanted(self) -> Wanted {
        match self {
            Self::Resources => Wanted::Resources,
            Self::Templates => Wanted::ResourceTemplates,
            Self::Prompts => Wanted::Prompts,
        }
    }
}

/// Every list has one page. Some clients write `""` for no cursor.
pub(super) fn one_page(request: Option<PaginatedRequestParams>) -> Result<(), ErrorData> {
    if request.is_some_and(|request| request.cursor.is_some_and(|cursor| !cursor.is_empty())) {
        return Err(ErrorData::invalid_params("the list has one page: ask without a cursor", None));
    }
    Ok(())
}
