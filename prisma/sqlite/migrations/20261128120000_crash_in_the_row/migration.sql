-- Added in place: redefining the tables would write every row anew.
ALTER TABLE "Coredump" ADD COLUMN "kind" TEXT NOT NULL DEFAULT 'CORE_DUMP';
ALTER TABLE "Coredump" ADD COLUMN "updatedAt" DATETIME;
ALTER TABLE "Coredump" ADD COLUMN "crashKind" TEXT;
ALTER TABLE "Coredump" ADD COLUMN "crashedTask" TEXT;
ALTER TABLE "Coredump" ADD COLUMN "reason" TEXT;
ALTER TABLE "EarlierReading" ADD COLUMN "crashKind" TEXT;
ALTER TABLE "EarlierReading" ADD COLUMN "crashedTask" TEXT;
ALTER TABLE "EarlierReading" ADD COLUMN "reason" TEXT;

-- What the reports say. A report of before kinds has that of its group. A text ends at a NUL in most of SQLite.
UPDATE "Coredump" SET
    "crashKind" = coalesce(
        json_extract(t."report", '$.kind'),
        (SELECT s."kind" FROM "CrashOccurrence" o JOIN "CrashSignature" s ON s."id" = o."signatureId"
            WHERE o."coredumpId" = t."coredumpId"),
        'OTHER'),
    "crashedTask" = substr(json_extract(replace(t."report", '\u0000', '\ufffd'), '$.crashedTask'), 1, 64),
    "reason" = substr(json_extract(replace(t."report", '\u0000', '\ufffd'), '$.reason'), 1, 500)
    FROM "CoredumpText" t
    WHERE t."coredumpId" = "Coredump"."id" AND "Coredump"."parseStatus" = 'PARSED' AND json_valid(t."report");

UPDATE "EarlierReading" SET
    "crashKind" = coalesce(
        json_extract(t."report", '$.kind'),
        (SELECT s."kind" FROM "CrashOccurrence" o JOIN "CrashSignature" s ON s."id" = o."signatureId"
            WHERE o."coredumpId" = t."coredumpId"),
        'OTHER'),
    "crashedTask" = substr(json_extract(replace(t."report", '\u0000', '\ufffd'), '$.crashedTask'), 1, 64),
    "reason" = substr(json_extract(replace(t."report", '\u0000', '\ufffd'), '$.reason'), 1, 500)
    FROM "CoredumpText" t
    WHERE t."coredumpId" = "EarlierReading"."coredumpId" AND json_valid(t."report");

-- The last change that the rows tell of.
UPDATE "Coredump" SET "updatedAt" = nullif(max(
    coalesce("parsedAt", 0),
    coalesce((SELECT r."removedAt" FROM "RemovedRaw" r WHERE r."coredumpId" = "Coredump"."id"), 0),
    coalesce((SELECT l."noticedAt" FROM "LostRaw" l WHERE l."coredumpId" = "Coredump"."id"), 0)), 0);

-- CreateIndex
CREATE INDEX "Coredump_crashKind_id_idx" ON "Coredump"("crashKind", "id");

-- CreateIndex
CREATE INDEX "Coredump_crashedTask_id_idx" ON "Coredump"("crashedTask", "id");

-- The dumps of a build, newest first.
DROP INDEX "Coredump_firmwareId_idx";
CREATE INDEX "Coredump_firmwareId_id_idx" ON "Coredump"("firmwareId", "id");
