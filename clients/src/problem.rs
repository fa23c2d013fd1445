//! Why a file is left as it is.

/// What is wrong with a file, or with what is asked of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// It cannot be read.
    #[error("line {line}, column {column}: {what}")]
    Syntax {
        /// From 1.
        line: usize,
        /// From 1, in characters.
        column: usize,
        /// What was found or missed there.
        what: String,
    },
    /// Something in it is not what its client expects there.
    #[error("{what} is not {wanted}")]
    Shape {
        /// What it is about.
        what: String,
        /// What it should be.
        wanted: &'static str,
    },
    /// Two values of one name: which one counts is not for us to say.
    #[error("`{0}` stands in it twice")]
    Twice(String),
    /// A server that is none of ours has the name.
    #[error("another server has the name `{0}`")]
    Taken(String),
    /// A setting is to be changed, and it is not clear whose.
    #[error("there are several entries of ours: {}", .0.join(", "))]
    Several(Vec<String>),
    /// A name that some client would not take.
    #[error("`{0}` is no name for a server: 1 to 32 letters, digits, - or _")]
    BadName(String),
    /// Read again, the changed text would not be what was meant.
    #[error("it is written in a way that cannot be changed safely")]
    Unsure,
}

impl Problem {
    /// What a person does about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Syntax { .. } | Self::Shape { .. } => {
                "Correct the file, then try again. Nothing was written."
            }
            Self::Twice(_) => "Remove one of the two, then try again. Nothing was written.",
            Self::Taken(_) => "Choose another name with --name. Nothing was written.",
            Self::Several(_) => "Say which one with --name. Nothing was written.",
            Self::BadName(_) => "Choose another name with --name.",
            Self::Unsure => "Add the entry by hand, as docs/install.md shows. Nothing was written.",
        }
    }
}
