-- What people looked for and did not find, by day. Nobody is named: `callers` has one bit of 62 set for each heap of callers
-- that asked, which is enough to know that several did.
create table unanswered_search (
    day      integer not null,
    words    text not null,
    searches integer not null,
    callers  integer not null,
    primary key (day, words)
) strict;
create index unanswered_search_words on unanswered_search (words, day);
