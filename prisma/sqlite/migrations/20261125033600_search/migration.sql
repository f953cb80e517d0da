-- Words of what dumps say. The text itself is not stored again; the triggers keep the two in step within the
-- transaction of each change, also where a deleted dump takes its text along.
CREATE VIRTUAL TABLE "CoredumpSearch" USING fts5(
    "output",
    content = 'CoredumpText',
    content_rowid = 'coredumpId',
    tokenize = 'unicode61 remove_diacritics 0'
);

INSERT INTO "CoredumpSearch" ("rowid", "output") SELECT "coredumpId", "output" FROM "CoredumpText";

CREATE TRIGGER "CoredumpText_searched" AFTER INSERT ON "CoredumpText" BEGIN
    INSERT INTO "CoredumpSearch" ("rowid", "output") VALUES (new."coredumpId", new."output");
END;

CREATE TRIGGER "CoredumpText_unsearched" AFTER DELETE ON "CoredumpText" BEGIN
    INSERT INTO "CoredumpSearch" ("CoredumpSearch", "rowid", "output") VALUES ('delete', old."coredumpId", old."output");
END;

CREATE TRIGGER "CoredumpText_searched_again" AFTER UPDATE OF "output" ON "CoredumpText" BEGIN
    INSERT INTO "CoredumpSearch" ("CoredumpSearch", "rowid", "output") VALUES ('delete', old."coredumpId", old."output");
    INSERT INTO "CoredumpSearch" ("rowid", "output") VALUES (new."coredumpId", new."output");
END;
