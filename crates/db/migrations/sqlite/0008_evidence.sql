-- Evidence about a version names the texts of the policies that decided.
create index policy_digest on policy (digest, id);
