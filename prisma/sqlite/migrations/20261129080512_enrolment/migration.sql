-- CreateTable
CREATE TABLE "IngestKey" (
    "id" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    "modelId" INTEGER NOT NULL,
    "name" TEXT NOT NULL,
    "keySha256" TEXT NOT NULL,
    "hint" TEXT NOT NULL,
    "newDevicesPerHour" INTEGER NOT NULL,
    "requiresApproval" BOOLEAN NOT NULL,
    "createdAt" DATETIME NOT NULL,
    "createdBy" TEXT NOT NULL,
    "lastUsedAt" DATETIME,
    "revokedAt" DATETIME,
    "hourStartedAt" DATETIME,
    "newDevicesInHour" INTEGER NOT NULL DEFAULT 0,
    CONSTRAINT "IngestKey_modelId_fkey" FOREIGN KEY ("modelId") REFERENCES "DeviceModel" ("id") ON DELETE CASCADE ON UPDATE CASCADE
);

-- CreateIndex
CREATE UNIQUE INDEX "IngestKey_keySha256_key" ON "IngestKey"("keySha256");
CREATE INDEX "IngestKey_modelId_idx" ON "IngestKey"("modelId");

-- Added in place: redefining the table would drop its triggers.
ALTER TABLE "Device" ADD COLUMN "serial" TEXT;
ALTER TABLE "Device" ADD COLUMN "approval" TEXT NOT NULL DEFAULT 'APPROVED';
ALTER TABLE "Device" ADD COLUMN "ingestKeyId" INTEGER
    CONSTRAINT "Device_ingestKeyId_fkey" REFERENCES "IngestKey" ("id") ON DELETE SET NULL ON UPDATE CASCADE;
ALTER TABLE "Device" ADD COLUMN "lastSeenAt" DATETIME;
ALTER TABLE "Device" ADD COLUMN "lastBootAt" DATETIME;
ALTER TABLE "Device" ADD COLUMN "lastBootVersion" TEXT;
ALTER TABLE "Device" ADD COLUMN "lastBootElfSha256" TEXT;
ALTER TABLE "Device" ADD COLUMN "lastBootChip" TEXT;
ALTER TABLE "Device" ADD COLUMN "lastResetReason" TEXT;

-- CreateIndex
CREATE UNIQUE INDEX "Device_modelId_serial_key" ON "Device"("modelId", "serial");
CREATE INDEX "Device_ingestKeyId_serial_idx" ON "Device"("ingestKeyId", "serial");
CREATE INDEX "Device_approval_ingestKeyId_idx" ON "Device"("approval", "ingestKeyId");

UPDATE "Device" SET "lastSeenAt" = nullif(max(coalesce("lastUploadAt", 0), coalesce("tokenUsedAt", 0)), 0);

-- The triggers of the change feed, with the new columns that clients see. Times and reset reasons change with every boot
-- and are not told.
DROP TRIGGER "Device_change_changed";
CREATE TRIGGER "Device_change_changed" AFTER UPDATE OF
    "key", "name", "modelId", "tokenSha256", "previousTokenSha256", "previousTokenUntil", "serial", "approval",
    "ingestKeyId", "lastBootVersion", "lastBootElfSha256", "lastBootChip" ON "Device"
    WHEN old."key" IS NOT new."key" OR old."name" IS NOT new."name" OR old."modelId" IS NOT new."modelId" OR
    old."tokenSha256" IS NOT new."tokenSha256" OR old."previousTokenSha256" IS NOT new."previousTokenSha256" OR
    old."previousTokenUntil" IS NOT new."previousTokenUntil" OR old."serial" IS NOT new."serial" OR
    old."approval" IS NOT new."approval" OR old."ingestKeyId" IS NOT new."ingestKeyId" OR
    old."lastBootVersion" IS NOT new."lastBootVersion" OR
    old."lastBootElfSha256" IS NOT new."lastBootElfSha256" OR old."lastBootChip" IS NOT new."lastBootChip" BEGIN
    INSERT INTO "Change" ("subject", "subjectId", "deviceId", "kind") VALUES ('Device', new."id", new."id", 'CHANGED');
END;

-- A model shows its ingest keys. One that goes with its model finds no model any more.
CREATE TRIGGER "IngestKey_change_noted" AFTER INSERT ON "IngestKey" BEGIN
    INSERT INTO "Change" ("subject", "subjectId", "deviceId", "kind")
        SELECT 'DeviceModel', "id", NULL, 'CHANGED' FROM "DeviceModel" WHERE "id" = new."modelId";
END;
CREATE TRIGGER "IngestKey_change_altered" AFTER UPDATE OF "name", "revokedAt" ON "IngestKey"
    WHEN old."name" IS NOT new."name" OR old."revokedAt" IS NOT new."revokedAt" BEGIN
    INSERT INTO "Change" ("subject", "subjectId", "deviceId", "kind")
        SELECT 'DeviceModel', "id", NULL, 'CHANGED' FROM "DeviceModel" WHERE "id" = new."modelId";
END;
