use argon2::{
    Algorithm, Argon2, Block, Params, Version,
    password_hash::{
        self, CustomizedPasswordHasher,
        phc::{Output, ParamsString, PasswordHash, Salt},
    },
};

/// How much is asked for at the least, touched or not. The GNU allocator gives back to the system
/// what it frees only of areas that it has mapped for themselves, and sooner or later it maps none
/// of up to 32 MiB: mallopt(3), `M_MMAP_THRESHOLD`.
const MAPPED: usize = 33 * 1024 * 1024;

/// Argon2id whose memory is the system's again after each password. What [`Argon2`] takes for
/// itself stays with the process: 19 MiB for each thread that ever hashed one.
pub(super) struct Hasher;

impl Hasher {
    /// The hash of a new password.
    pub(super) fn hash(&self, password: &[u8]) -> password_hash::Result<PasswordHash> {
        self.hash_password_customized(password, &Salt::generate(), None, None, Params::default())
    }
}

impl CustomizedPasswordHasher<PasswordHash> for Hasher {
    type Params = Params;

    fn hash_password_customized(
        &self,
        password: &[u8],
        salt: &[u8],
        algorithm: Option<&str>,
        version: Option<u32>,
        params: Params,
    ) -> password_hash::Result<PasswordHash> {
        let algorithm = algorithm.map(Algorithm::try_from).transpose()?.unwrap_or_default();
        let version = version.map(Version::try_from).transpose()?.unwrap_or_default();
        let salt = Salt::new(salt)?;
        let blocks = params.block_count();
        let mut memory = Vec::with_capacity(blocks.max(MAPPED / Block::SIZE));
        memory.resize(blocks, Block::new());
        let text = ParamsString::try_from(&params)?;
        let length = params.output_len().unwrap_or(Params::DEFAULT_OUTPUT_LEN);
        let argon2 = Argon2::new(algorithm, version, params);
        let mut hash = vec![0; length];
        argon2.hash_password_into_with_memory(password, &salt, &mut hash, &mut memory)?;
        memory.fill(Block::new());
        Ok(PasswordHash {
            algorithm: algorithm.ident(),
            version: Some(version.into()),
            params: text,
            salt: Some(salt),
            hash: Some(Output::new(&hash)?),
        })
    }
}

#[cfg(test)]
mod tests {
    use argon2::password_hash::{PasswordHasher, PasswordVerifier};

    use super::*;

    #[test]
    fn hashes_are_those_of_argon2() {
        let hash = Hasher.hash(b"correct horse").expect("a hash");
        assert!(hash.to_string().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        Argon2::default().verify_password(b"correct horse", &hash).expect("the same");
        let theirs: PasswordHash = Argon2::default().hash_password(b"staple").expect("a hash");
        Hasher.verify_password(b"staple", &theirs).expect("the same");
        assert!(Hasher.verify_password(b"stapler", &theirs).is_err());
        let other = Params::new(64, 3, 2, Some(24)).expect("parameters");
        let other = Argon2::new(Algorithm::Argon2i, Version::V0x10, other);
        let theirs: PasswordHash = other.hash_password(b"staple").expect("a hash");
        Hasher.verify_password(b"staple", &theirs).expect("whatever its parameters");
    }
}
