-- AlterTable
ALTER TABLE "RemovedRaw" ADD COLUMN "reason" TEXT NOT NULL DEFAULT 'PRIVACY';

-- CreateTable
CREATE TABLE "StoredBytes" (
    "id" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    "bytes" REAL NOT NULL
);

-- What is stored now. From here on the triggers keep account, whoever adds and removes dumps.
INSERT INTO "StoredBytes" ("bytes")
    SELECT coalesce(sum("size"), 0) FROM "Coredump" WHERE "id" NOT IN (SELECT "coredumpId" FROM "RemovedRaw");

CREATE TRIGGER "Coredump_stored" AFTER INSERT ON "Coredump" BEGIN
    INSERT INTO "StoredBytes" ("bytes") VALUES (new."size");
END;

CREATE TRIGGER "Coredump_deleted" BEFORE DELETE ON "Coredump"
    WHEN NOT EXISTS (SELECT 1 FROM "RemovedRaw" WHERE "coredumpId" = old."id") BEGIN
    INSERT INTO "StoredBytes" ("bytes") VALUES (-old."size");
END;

CREATE TRIGGER "RemovedRaw_noted" AFTER INSERT ON "RemovedRaw" BEGIN
    INSERT INTO "StoredBytes" ("bytes") SELECT -"size" FROM "Coredump" WHERE "id" = new."coredumpId";
END;

-- Not where it goes with its dump, which is gone by then.
CREATE TRIGGER "RemovedRaw_forgotten" AFTER DELETE ON "RemovedRaw" BEGIN
    INSERT INTO "StoredBytes" ("bytes") SELECT "size" FROM "Coredump" WHERE "id" = old."coredumpId";
END;
