//! What was assumed of a program, as its outcome says it.

/// Something that was assumed of a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Assumption {
    /// It is the one fenced block of a Markdown text.
    Fence,
    /// Its typographic quotes stand for straight ones.
    Quotes,
    /// It is one function, to be called.
    Function,
    /// It exports one function, to be called.
    Export,
    /// It returns the value of its last expression.
    LastExpression,
}

impl Assumption {
    /// What the reader of the outcome is told.
    pub(super) fn sentence(self) -> &'static str {
        match self {
            Self::Fence => "the text is Markdown: the program in its code fence was run; send the program without a fence",
            Self::Quotes => "typographic quotes around strings were read as straight ones",
            Self::Function => "the program is one function that nothing calls: it was called, and its value returned",
            Self::Export => "the program exports a function: it was called, and its value returned",
            Self::LastExpression => "the program has no `return`: the value of its last expression was returned",
        }
    }

    /// Whether it is only worth telling where there is a value: without one the outcome is what it would have been.
    pub(super) fn is_of_value(self) -> bool {
        self == Self::LastExpression
    }
}
