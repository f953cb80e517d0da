-- Words of what dumps say, split at everything that is neither letter nor digit, as SQLite's index splits them. The
-- index is part of each change of the table. A tsvector has a megabyte at most: beyond these characters nothing is found.
CREATE INDEX "CoredumpText_output_words" ON "CoredumpText"
    USING gin (to_tsvector('simple', regexp_replace(left("output", 200000), '[^[:alnum:]]+', ' ', 'g')));
