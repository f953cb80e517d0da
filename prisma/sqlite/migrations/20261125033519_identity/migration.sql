-- AlterTable
ALTER TABLE "Device" ADD COLUMN "previousTokenSha256" TEXT;
ALTER TABLE "Device" ADD COLUMN "previousTokenUntil" DATETIME;
ALTER TABLE "Device" ADD COLUMN "tokenUsedAt" DATETIME;

-- CreateTable
CREATE TABLE "AuditEvent" (
    "id" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    "at" DATETIME NOT NULL,
    "action" TEXT NOT NULL,
    "role" TEXT NOT NULL,
    "actor" TEXT NOT NULL,
    "via" TEXT NOT NULL,
    "targetType" TEXT,
    "targetId" INTEGER,
    "target" TEXT,
    "address" TEXT,
    "requestId" TEXT
);

-- CreateTable
CREATE TABLE "Secret" (
    "name" TEXT NOT NULL PRIMARY KEY,
    "value" TEXT NOT NULL,
    "createdAt" DATETIME NOT NULL
);

-- CreateTable
CREATE TABLE "ModelPrivacy" (
    "modelId" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    "removeRawOnceRead" BOOLEAN NOT NULL,
    "keepRawDays" INTEGER,
    "rawForAdminsOnly" BOOLEAN NOT NULL,
    CONSTRAINT "ModelPrivacy_modelId_fkey" FOREIGN KEY ("modelId") REFERENCES "DeviceModel" ("id") ON DELETE CASCADE ON UPDATE CASCADE
);

-- CreateTable
CREATE TABLE "RemovedRaw" (
    "coredumpId" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    "removedAt" DATETIME NOT NULL,
    CONSTRAINT "RemovedRaw_coredumpId_fkey" FOREIGN KEY ("coredumpId") REFERENCES "Coredump" ("id") ON DELETE CASCADE ON UPDATE CASCADE
);

-- CreateIndex
CREATE INDEX "AuditEvent_action_id_idx" ON "AuditEvent"("action", "id");

-- CreateIndex
CREATE INDEX "AuditEvent_actor_id_idx" ON "AuditEvent"("actor", "id");

-- CreateIndex
CREATE INDEX "AuditEvent_targetType_targetId_id_idx" ON "AuditEvent"("targetType", "targetId", "id");

-- CreateIndex
CREATE INDEX "AuditEvent_at_idx" ON "AuditEvent"("at");

-- CreateIndex
CREATE UNIQUE INDEX "Device_previousTokenSha256_key" ON "Device"("previousTokenSha256");
