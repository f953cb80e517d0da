-- AlterTable
ALTER TABLE "Coredump" ADD COLUMN "fingerprint" TEXT;

-- CreateIndex
CREATE INDEX "Coredump_fingerprint_id_idx" ON "Coredump"("fingerprint", "id");

-- Dumps that were parsed before there was a column.
UPDATE "Coredump" SET "fingerprint" =
  (SELECT json_extract(t."report", '$.fingerprint') FROM "CoredumpText" t WHERE t."coredumpId" = "Coredump"."id")
WHERE "parseStatus" = 'PARSED';
