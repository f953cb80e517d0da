-- AlterTable
ALTER TABLE "Device" ADD COLUMN     "approval" TEXT NOT NULL DEFAULT 'APPROVED',
ADD COLUMN     "ingestKeyId" INTEGER,
ADD COLUMN     "lastBootAt" TIMESTAMP(3),
ADD COLUMN     "lastBootChip" TEXT,
ADD COLUMN     "lastBootElfSha256" TEXT,
ADD COLUMN     "lastBootVersion" TEXT,
ADD COLUMN     "lastResetReason" TEXT,
ADD COLUMN     "lastSeenAt" TIMESTAMP(3),
ADD COLUMN     "serial" TEXT;

-- CreateTable
CREATE TABLE "IngestKey" (
    "id" SERIAL NOT NULL,
    "modelId" INTEGER NOT NULL,
    "name" TEXT NOT NULL,
    "keySha256" TEXT NOT NULL,
    "hint" TEXT NOT NULL,
    "newDevicesPerHour" INTEGER NOT NULL,
    "requiresApproval" BOOLEAN NOT NULL,
    "createdAt" TIMESTAMP(3) NOT NULL,
    "createdBy" TEXT NOT NULL,
    "lastUsedAt" TIMESTAMP(3),
    "revokedAt" TIMESTAMP(3),
    "hourStartedAt" TIMESTAMP(3),
    "newDevicesInHour" INTEGER NOT NULL DEFAULT 0,

    CONSTRAINT "IngestKey_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE UNIQUE INDEX "IngestKey_keySha256_key" ON "IngestKey"("keySha256");

-- CreateIndex
CREATE INDEX "IngestKey_modelId_idx" ON "IngestKey"("modelId");

-- CreateIndex
CREATE INDEX "Device_ingestKeyId_serial_idx" ON "Device"("ingestKeyId", "serial");

-- CreateIndex
CREATE INDEX "Device_approval_ingestKeyId_idx" ON "Device"("approval", "ingestKeyId");

-- CreateIndex
CREATE UNIQUE INDEX "Device_modelId_serial_key" ON "Device"("modelId", "serial");

-- AddForeignKey
ALTER TABLE "Device" ADD CONSTRAINT "Device_ingestKeyId_fkey" FOREIGN KEY ("ingestKeyId") REFERENCES "IngestKey"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "IngestKey" ADD CONSTRAINT "IngestKey_modelId_fkey" FOREIGN KEY ("modelId") REFERENCES "DeviceModel"("id") ON DELETE CASCADE ON UPDATE CASCADE;

UPDATE "Device" SET "lastSeenAt" = greatest("lastUploadAt", "tokenUsedAt");

-- The triggers of the change feed, with the new columns that clients see. Times and reset reasons change with every boot
-- and are not told.
DROP TRIGGER "Device_change_changed" ON "Device";
CREATE TRIGGER "Device_change_changed" AFTER UPDATE OF
    "key", "name", "modelId", "tokenSha256", "previousTokenSha256", "previousTokenUntil", "serial", "approval",
    "ingestKeyId", "lastBootVersion", "lastBootElfSha256", "lastBootChip" ON "Device"
    FOR EACH ROW WHEN (
        OLD."key" IS DISTINCT FROM NEW."key" OR OLD."name" IS DISTINCT FROM NEW."name" OR
        OLD."modelId" IS DISTINCT FROM NEW."modelId" OR OLD."tokenSha256" IS DISTINCT FROM NEW."tokenSha256" OR
        OLD."previousTokenSha256" IS DISTINCT FROM NEW."previousTokenSha256" OR
        OLD."previousTokenUntil" IS DISTINCT FROM NEW."previousTokenUntil" OR
        OLD."serial" IS DISTINCT FROM NEW."serial" OR OLD."approval" IS DISTINCT FROM NEW."approval" OR
        OLD."ingestKeyId" IS DISTINCT FROM NEW."ingestKeyId" OR
        OLD."lastBootVersion" IS DISTINCT FROM NEW."lastBootVersion" OR
        OLD."lastBootElfSha256" IS DISTINCT FROM NEW."lastBootElfSha256" OR
        OLD."lastBootChip" IS DISTINCT FROM NEW."lastBootChip")
    EXECUTE FUNCTION "note_change"('id');

-- A model shows its ingest keys. One that goes with its model finds no model any more.
CREATE FUNCTION "note_change_of_model"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO public."Change" ("tx", "subject", "subjectId", "deviceId", "kind", "at")
        SELECT pg_current_xact_id()::text::bigint, 'DeviceModel', p."id", NULL::integer, 'CHANGED', clock_timestamp() AT TIME ZONE 'UTC'
        FROM public."DeviceModel" p WHERE p."id" = NEW."modelId";
    RETURN NULL;
END
$$;
CREATE TRIGGER "IngestKey_change_noted" AFTER INSERT ON "IngestKey" REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION "note_change_in_DeviceModel"();
CREATE TRIGGER "IngestKey_change_altered" AFTER UPDATE OF "name", "revokedAt" ON "IngestKey"
    FOR EACH ROW WHEN (OLD."name" IS DISTINCT FROM NEW."name" OR OLD."revokedAt" IS DISTINCT FROM NEW."revokedAt")
    EXECUTE FUNCTION "note_change_of_model"();
