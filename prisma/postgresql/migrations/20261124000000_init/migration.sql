-- CreateTable
CREATE TABLE "DeviceModel" (
    "id" SERIAL NOT NULL,
    "code" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "createdAt" TIMESTAMP(3) NOT NULL,

    CONSTRAINT "DeviceModel_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "Device" (
    "id" SERIAL NOT NULL,
    "key" TEXT NOT NULL,
    "name" TEXT,
    "modelId" INTEGER NOT NULL,
    "tokenSha256" TEXT NOT NULL,
    "lastUploadAt" TIMESTAMP(3),
    "createdAt" TIMESTAMP(3) NOT NULL,
    "updatedAt" TIMESTAMP(3) NOT NULL,

    CONSTRAINT "Device_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "Firmware" (
    "id" SERIAL NOT NULL,
    "modelId" INTEGER NOT NULL,
    "version" TEXT NOT NULL,
    "chip" TEXT,
    "elfSha256" TEXT NOT NULL,
    "size" INTEGER NOT NULL,
    "uploadedAt" TIMESTAMP(3) NOT NULL,

    CONSTRAINT "Firmware_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "Coredump" (
    "id" SERIAL NOT NULL,
    "deviceId" INTEGER NOT NULL,
    "firmwareId" INTEGER,
    "filename" TEXT NOT NULL,
    "chip" TEXT NOT NULL,
    "firmwareVersion" TEXT NOT NULL,
    "size" INTEGER NOT NULL,
    "sha256" TEXT NOT NULL,
    "idempotencyKey" TEXT,
    "uploadedAt" TIMESTAMP(3) NOT NULL,
    "parseStatus" TEXT NOT NULL,
    "parseAttempts" INTEGER NOT NULL DEFAULT 0,
    "parseGeneration" INTEGER NOT NULL DEFAULT 0,
    "leaseOwner" TEXT,
    "leaseUntil" TIMESTAMP(3),
    "parseErrorKind" TEXT,
    "appElfSha256" TEXT,
    "parsedAt" TIMESTAMP(3),

    CONSTRAINT "Coredump_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "CoredumpText" (
    "coredumpId" INTEGER NOT NULL,
    "output" TEXT NOT NULL,
    "report" TEXT,

    CONSTRAINT "CoredumpText_pkey" PRIMARY KEY ("coredumpId")
);

-- CreateIndex
CREATE UNIQUE INDEX "DeviceModel_code_key" ON "DeviceModel"("code");

-- CreateIndex
CREATE UNIQUE INDEX "Device_key_key" ON "Device"("key");

-- CreateIndex
CREATE UNIQUE INDEX "Device_tokenSha256_key" ON "Device"("tokenSha256");

-- CreateIndex
CREATE INDEX "Device_modelId_idx" ON "Device"("modelId");

-- CreateIndex
CREATE INDEX "Firmware_modelId_version_idx" ON "Firmware"("modelId", "version");

-- CreateIndex
CREATE UNIQUE INDEX "Firmware_modelId_elfSha256_key" ON "Firmware"("modelId", "elfSha256");

-- CreateIndex
CREATE INDEX "Coredump_deviceId_id_idx" ON "Coredump"("deviceId", "id");

-- CreateIndex
CREATE INDEX "Coredump_deviceId_sha256_idx" ON "Coredump"("deviceId", "sha256");

-- CreateIndex
CREATE INDEX "Coredump_parseStatus_id_idx" ON "Coredump"("parseStatus", "id");

-- CreateIndex
CREATE INDEX "Coredump_firmwareId_idx" ON "Coredump"("firmwareId");

-- CreateIndex
CREATE INDEX "Coredump_appElfSha256_idx" ON "Coredump"("appElfSha256");

-- CreateIndex
CREATE INDEX "Coredump_uploadedAt_idx" ON "Coredump"("uploadedAt");

-- CreateIndex
CREATE UNIQUE INDEX "Coredump_deviceId_filename_key" ON "Coredump"("deviceId", "filename");

-- CreateIndex
CREATE UNIQUE INDEX "Coredump_deviceId_idempotencyKey_key" ON "Coredump"("deviceId", "idempotencyKey");

-- AddForeignKey
ALTER TABLE "Device" ADD CONSTRAINT "Device_modelId_fkey" FOREIGN KEY ("modelId") REFERENCES "DeviceModel"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Firmware" ADD CONSTRAINT "Firmware_modelId_fkey" FOREIGN KEY ("modelId") REFERENCES "DeviceModel"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Coredump" ADD CONSTRAINT "Coredump_deviceId_fkey" FOREIGN KEY ("deviceId") REFERENCES "Device"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Coredump" ADD CONSTRAINT "Coredump_firmwareId_fkey" FOREIGN KEY ("firmwareId") REFERENCES "Firmware"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "CoredumpText" ADD CONSTRAINT "CoredumpText_coredumpId_fkey" FOREIGN KEY ("coredumpId") REFERENCES "Coredump"("id") ON DELETE CASCADE ON UPDATE CASCADE;
