-- CreateTable
CREATE TABLE "CrashGroup" (
    "id" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    "title" TEXT NOT NULL,
    "reasonClass" TEXT NOT NULL,
    "reason" TEXT NOT NULL,
    "culpritFunction" TEXT,
    "culpritFile" TEXT,
    "state" TEXT NOT NULL,
    "resolvedAt" DATETIME,
    "resolvedInVersion" TEXT,
    "regressedAt" DATETIME,
    "regressedInVersion" TEXT,
    "assignee" TEXT,
    "note" TEXT,
    "count" INTEGER NOT NULL DEFAULT 0,
    "deviceCount" INTEGER NOT NULL DEFAULT 0,
    "firstSeenAt" DATETIME NOT NULL,
    "lastSeenAt" DATETIME NOT NULL,
    "heat" REAL NOT NULL
);

-- CreateTable
CREATE TABLE "CrashSignature" (
    "id" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    "fingerprint" TEXT NOT NULL,
    "groupId" INTEGER NOT NULL,
    "title" TEXT NOT NULL,
    "reasonClass" TEXT NOT NULL,
    "reason" TEXT NOT NULL,
    "culpritFunction" TEXT,
    "culpritFile" TEXT,
    "count" INTEGER NOT NULL DEFAULT 0,
    "firstSeenAt" DATETIME NOT NULL,
    "lastSeenAt" DATETIME NOT NULL,
    CONSTRAINT "CrashSignature_groupId_fkey" FOREIGN KEY ("groupId") REFERENCES "CrashGroup" ("id") ON DELETE RESTRICT ON UPDATE CASCADE
);

-- CreateTable
CREATE TABLE "CrashOccurrence" (
    "coredumpId" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    "signatureId" INTEGER,
    "modelId" INTEGER NOT NULL,
    CONSTRAINT "CrashOccurrence_coredumpId_fkey" FOREIGN KEY ("coredumpId") REFERENCES "Coredump" ("id") ON DELETE CASCADE ON UPDATE CASCADE,
    CONSTRAINT "CrashOccurrence_signatureId_fkey" FOREIGN KEY ("signatureId") REFERENCES "CrashSignature" ("id") ON DELETE SET NULL ON UPDATE CASCADE
);

-- CreateTable
CREATE TABLE "CrashVariant" (
    "signatureId" INTEGER NOT NULL,
    "modelId" INTEGER NOT NULL,
    "firmwareVersion" TEXT NOT NULL,
    "chip" TEXT NOT NULL,
    "count" INTEGER NOT NULL,
    "firstSeenAt" DATETIME NOT NULL,
    "lastSeenAt" DATETIME NOT NULL,

    PRIMARY KEY ("signatureId", "modelId", "firmwareVersion", "chip"),
    CONSTRAINT "CrashVariant_signatureId_fkey" FOREIGN KEY ("signatureId") REFERENCES "CrashSignature" ("id") ON DELETE CASCADE ON UPDATE CASCADE
);

-- CreateTable
CREATE TABLE "CrashDevice" (
    "signatureId" INTEGER NOT NULL,
    "deviceId" INTEGER NOT NULL,
    "count" INTEGER NOT NULL,

    PRIMARY KEY ("signatureId", "deviceId"),
    CONSTRAINT "CrashDevice_signatureId_fkey" FOREIGN KEY ("signatureId") REFERENCES "CrashSignature" ("id") ON DELETE CASCADE ON UPDATE CASCADE
);

-- CreateTable
CREATE TABLE "CrashTally" (
    "signatureId" INTEGER NOT NULL,
    "unit" TEXT NOT NULL,
    "firmwareVersion" TEXT NOT NULL,
    "modelId" INTEGER NOT NULL,
    "slot" INTEGER NOT NULL,
    "count" INTEGER NOT NULL,

    PRIMARY KEY ("signatureId", "unit", "firmwareVersion", "modelId", "slot")
);

-- CreateTable
CREATE TABLE "VersionDevice" (
    "modelId" INTEGER NOT NULL,
    "firmwareVersion" TEXT NOT NULL,
    "deviceId" INTEGER NOT NULL,
    "count" INTEGER NOT NULL,

    PRIMARY KEY ("modelId", "firmwareVersion", "deviceId")
);

-- CreateIndex
CREATE INDEX "CrashGroup_count_id_idx" ON "CrashGroup"("count", "id");

-- CreateIndex
CREATE INDEX "CrashGroup_deviceCount_id_idx" ON "CrashGroup"("deviceCount", "id");

-- CreateIndex
CREATE INDEX "CrashGroup_lastSeenAt_id_idx" ON "CrashGroup"("lastSeenAt", "id");

-- CreateIndex
CREATE INDEX "CrashGroup_heat_id_idx" ON "CrashGroup"("heat", "id");

-- CreateIndex
CREATE UNIQUE INDEX "CrashSignature_fingerprint_key" ON "CrashSignature"("fingerprint");

-- CreateIndex
CREATE INDEX "CrashSignature_groupId_idx" ON "CrashSignature"("groupId");

-- CreateIndex
CREATE INDEX "CrashOccurrence_signatureId_coredumpId_idx" ON "CrashOccurrence"("signatureId", "coredumpId");

-- CreateIndex
CREATE INDEX "CrashVariant_modelId_firmwareVersion_idx" ON "CrashVariant"("modelId", "firmwareVersion");

-- CreateIndex
CREATE INDEX "CrashDevice_deviceId_idx" ON "CrashDevice"("deviceId");

-- CreateIndex
CREATE INDEX "CrashTally_unit_slot_idx" ON "CrashTally"("unit", "slot");
