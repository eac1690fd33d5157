use std::ops::{BitAnd, BitOr, BitOrAssign};

/// Where a value comes from: a set of sources.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Labels(u64);

impl Labels {
    /// Nowhere that matters.
    pub const NONE: Self = Self(0);
    /// The content of a secret file.
    pub const SECRET: Self = Self(1);
    /// The path of a secret file.
    pub const SECRET_PATH: Self = Self(2);
    /// The whole environment.
    pub const ENVIRONMENT: Self = Self(4);
    /// An answer from the network.
    pub const NETWORK: Self = Self(8);
    /// Something that was decoded or unpacked.
    pub const DECODED: Self = Self(16);
    /// What the program was given from outside.
    pub const INPUT: Self = Self(32);
    /// The path of an agent's settings or memory.
    pub const AGENT_PATH: Self = Self(64);
    /// A path from which programs start by themselves.
    pub const START_PATH: Self = Self(128);
    /// A file opened for writing at the path of an agent's settings.
    pub const AGENT_FILE: Self = Self(256);
    /// A file opened for writing at a path from which programs start.
    pub const START_FILE: Self = Self(512);

    /// The path of a file that was filled from the network.
    pub const LOADED: Self = Self(1024);
    /// The value of a variable of the environment whose name says that it is a secret.
    pub const KEY: Self = Self(2048);
    /// Keys of several services in one collection.
    pub const KEYS: Self = Self(4096);
    /// Facts about this machine and its user.
    pub const HOST: Self = Self(8192);

    /// The content of a file that is not the program's own.
    pub const FILE: Self = Self(1 << 14);
    /// Names of files that were looked for, and what those files hold.
    pub const GATHERED: Self = Self(1 << 15);

    const FIRST_PARAMETER: usize = 16;
    const FIRST_FOREIGN: usize = 32;

    /// The label of a function's parameter; those beyond the sixteenth share one.
    pub const fn parameter(place: usize) -> Self {
        let place = if place < 16 { place } else { 15 };
        Self(1 << (Self::FIRST_PARAMETER + place))
    }

    /// The label of a call into another file; those beyond the 32nd are not followed.
    pub const fn foreign(place: usize) -> Self {
        if place < 32 { Self(1 << (Self::FIRST_FOREIGN + place)) } else { Self::NONE }
    }

    /// Whether all of the other's labels are here, and there are any.
    pub const fn has(self, other: Self) -> bool {
        other.0 != 0 && self.0 & other.0 == other.0
    }

    /// Whether any of the other's labels is here.
    pub const fn touches(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// These without the other's.
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Only the labels of parameters.
    pub const fn parameters(self) -> Self {
        Self(self.0 & 0xffff_0000)
    }
}

impl BitOr for Labels {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitOrAssign for Labels {
    fn bitor_assign(&mut self, other: Self) {
        self.0 |= other.0;
    }
}

impl BitAnd for Labels {
    type Output = Self;

    fn bitand(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}
