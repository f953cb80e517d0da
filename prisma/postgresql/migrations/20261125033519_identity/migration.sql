-- AlterTable
ALTER TABLE "Device" ADD COLUMN     "previousTokenSha256" TEXT,
ADD COLUMN     "previousTokenUntil" TIMESTAMP(3),
ADD COLUMN     "tokenUsedAt" TIMESTAMP(3);

-- CreateTable
CREATE TABLE "AuditEvent" (
    "id" SERIAL NOT NULL,
    "at" TIMESTAMP(3) NOT NULL,
    "action" TEXT NOT NULL,
    "role" TEXT NOT NULL,
    "actor" TEXT NOT NULL,
    "via" TEXT NOT NULL,
    "targetType" TEXT,
    "targetId" INTEGER,
    "target" TEXT,
    "address" TEXT,
    "requestId" TEXT,

    CONSTRAINT "AuditEvent_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "Secret" (
    "name" TEXT NOT NULL,
    "value" TEXT NOT NULL,
    "createdAt" TIMESTAMP(3) NOT NULL,

    CONSTRAINT "Secret_pkey" PRIMARY KEY ("name")
);

-- CreateTable
CREATE TABLE "ModelPrivacy" (
    "modelId" INTEGER NOT NULL,
    "removeRawOnceRead" BOOLEAN NOT NULL,
    "keepRawDays" INTEGER,
    "rawForAdminsOnly" BOOLEAN NOT NULL,

    CONSTRAINT "ModelPrivacy_pkey" PRIMARY KEY ("modelId")
);

-- CreateTable
CREATE TABLE "RemovedRaw" (
    "coredumpId" INTEGER NOT NULL,
    "removedAt" TIMESTAMP(3) NOT NULL,

    CONSTRAINT "RemovedRaw_pkey" PRIMARY KEY ("coredumpId")
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

-- AddForeignKey
ALTER TABLE "ModelPrivacy" ADD CONSTRAINT "ModelPrivacy_modelId_fkey" FOREIGN KEY ("modelId") REFERENCES "DeviceModel"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "RemovedRaw" ADD CONSTRAINT "RemovedRaw_coredumpId_fkey" FOREIGN KEY ("coredumpId") REFERENCES "Coredump"("id") ON DELETE CASCADE ON UPDATE CASCADE;
