-- CreateTable
CREATE TABLE "CrashGroup" (
    "id" SERIAL NOT NULL,
    "title" TEXT NOT NULL,
    "reasonClass" TEXT NOT NULL,
    "reason" TEXT NOT NULL,
    "culpritFunction" TEXT,
    "culpritFile" TEXT,
    "state" TEXT NOT NULL,
    "resolvedAt" TIMESTAMP(3),
    "resolvedInVersion" TEXT,
    "regressedAt" TIMESTAMP(3),
    "regressedInVersion" TEXT,
    "assignee" TEXT,
    "note" TEXT,
    "count" INTEGER NOT NULL DEFAULT 0,
    "deviceCount" INTEGER NOT NULL DEFAULT 0,
    "firstSeenAt" TIMESTAMP(3) NOT NULL,
    "lastSeenAt" TIMESTAMP(3) NOT NULL,
    "heat" DOUBLE PRECISION NOT NULL,

    CONSTRAINT "CrashGroup_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "CrashSignature" (
    "id" SERIAL NOT NULL,
    "fingerprint" TEXT NOT NULL,
    "groupId" INTEGER NOT NULL,
    "title" TEXT NOT NULL,
    "reasonClass" TEXT NOT NULL,
    "reason" TEXT NOT NULL,
    "culpritFunction" TEXT,
    "culpritFile" TEXT,
    "count" INTEGER NOT NULL DEFAULT 0,
    "firstSeenAt" TIMESTAMP(3) NOT NULL,
    "lastSeenAt" TIMESTAMP(3) NOT NULL,

    CONSTRAINT "CrashSignature_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "CrashOccurrence" (
    "coredumpId" INTEGER NOT NULL,
    "signatureId" INTEGER,
    "modelId" INTEGER NOT NULL,

    CONSTRAINT "CrashOccurrence_pkey" PRIMARY KEY ("coredumpId")
);

-- CreateTable
CREATE TABLE "CrashVariant" (
    "signatureId" INTEGER NOT NULL,
    "modelId" INTEGER NOT NULL,
    "firmwareVersion" TEXT NOT NULL,
    "chip" TEXT NOT NULL,
    "count" INTEGER NOT NULL,
    "firstSeenAt" TIMESTAMP(3) NOT NULL,
    "lastSeenAt" TIMESTAMP(3) NOT NULL,

    CONSTRAINT "CrashVariant_pkey" PRIMARY KEY ("signatureId","modelId","firmwareVersion","chip")
);

-- CreateTable
CREATE TABLE "CrashDevice" (
    "signatureId" INTEGER NOT NULL,
    "deviceId" INTEGER NOT NULL,
    "count" INTEGER NOT NULL,

    CONSTRAINT "CrashDevice_pkey" PRIMARY KEY ("signatureId","deviceId")
);

-- CreateTable
CREATE TABLE "CrashTally" (
    "signatureId" INTEGER NOT NULL,
    "unit" TEXT NOT NULL,
    "firmwareVersion" TEXT NOT NULL,
    "modelId" INTEGER NOT NULL,
    "slot" INTEGER NOT NULL,
    "count" INTEGER NOT NULL,

    CONSTRAINT "CrashTally_pkey" PRIMARY KEY ("signatureId","unit","firmwareVersion","modelId","slot")
);

-- CreateTable
CREATE TABLE "VersionDevice" (
    "modelId" INTEGER NOT NULL,
    "firmwareVersion" TEXT NOT NULL,
    "deviceId" INTEGER NOT NULL,
    "count" INTEGER NOT NULL,

    CONSTRAINT "VersionDevice_pkey" PRIMARY KEY ("modelId","firmwareVersion","deviceId")
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

-- AddForeignKey
ALTER TABLE "CrashSignature" ADD CONSTRAINT "CrashSignature_groupId_fkey" FOREIGN KEY ("groupId") REFERENCES "CrashGroup"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "CrashOccurrence" ADD CONSTRAINT "CrashOccurrence_coredumpId_fkey" FOREIGN KEY ("coredumpId") REFERENCES "Coredump"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "CrashOccurrence" ADD CONSTRAINT "CrashOccurrence_signatureId_fkey" FOREIGN KEY ("signatureId") REFERENCES "CrashSignature"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "CrashVariant" ADD CONSTRAINT "CrashVariant_signatureId_fkey" FOREIGN KEY ("signatureId") REFERENCES "CrashSignature"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "CrashDevice" ADD CONSTRAINT "CrashDevice_signatureId_fkey" FOREIGN KEY ("signatureId") REFERENCES "CrashSignature"("id") ON DELETE CASCADE ON UPDATE CASCADE;
