-- AlterTable
ALTER TABLE "Coredump" ADD COLUMN     "crashKind" TEXT,
ADD COLUMN     "crashedTask" TEXT,
ADD COLUMN     "kind" TEXT NOT NULL DEFAULT 'CORE_DUMP',
ADD COLUMN     "reason" TEXT,
ADD COLUMN     "updatedAt" TIMESTAMP(3);

-- AlterTable
ALTER TABLE "EarlierReading" ADD COLUMN     "crashKind" TEXT,
ADD COLUMN     "crashedTask" TEXT,
ADD COLUMN     "reason" TEXT;

-- What the reports say. A report of before kinds has that of its group. PostgreSQL refuses to read JSON with a NUL or
-- half a surrogate pair, which are the only such escapes in it.
CREATE TEMPORARY TABLE "reports" ON COMMIT DROP AS
    SELECT o."coredumpId",
        coalesce(o."report" ->> 'kind',
            (SELECT s."kind" FROM "CrashOccurrence" c JOIN "CrashSignature" s ON s."id" = c."signatureId"
                WHERE c."coredumpId" = o."coredumpId"),
            'OTHER') AS "crashKind",
        left(o."report" ->> 'crashedTask', 64) AS "crashedTask",
        left(o."report" ->> 'reason', 500) AS "reason"
    FROM (
        SELECT t."coredumpId",
            CASE WHEN position('\u' in t."report") = 0 THEN t."report"
                ELSE regexp_replace(t."report", '\\u(0000|[dD][89a-fA-F][0-9a-fA-F]{2})', '\\ufffd', 'g')
            END::json AS "report"
        FROM "CoredumpText" t WHERE t."report" LIKE '{%'
    ) o;

UPDATE "Coredump" SET "crashKind" = r."crashKind", "crashedTask" = r."crashedTask", "reason" = r."reason"
    FROM "reports" r WHERE r."coredumpId" = "Coredump"."id" AND "Coredump"."parseStatus" = 'PARSED';

UPDATE "EarlierReading" SET "crashKind" = r."crashKind", "crashedTask" = r."crashedTask", "reason" = r."reason"
    FROM "reports" r WHERE r."coredumpId" = "EarlierReading"."coredumpId";

-- The last change that the rows tell of.
UPDATE "Coredump" SET "updatedAt" = greatest("parsedAt",
    (SELECT r."removedAt" FROM "RemovedRaw" r WHERE r."coredumpId" = "Coredump"."id"),
    (SELECT l."noticedAt" FROM "LostRaw" l WHERE l."coredumpId" = "Coredump"."id"));

-- CreateIndex
CREATE INDEX "Coredump_crashKind_id_idx" ON "Coredump"("crashKind", "id");

-- CreateIndex
CREATE INDEX "Coredump_crashedTask_id_idx" ON "Coredump"("crashedTask", "id");

-- The dumps of a build, newest first.
DROP INDEX "Coredump_firmwareId_idx";
CREATE INDEX "Coredump_firmwareId_id_idx" ON "Coredump"("firmwareId", "id");
