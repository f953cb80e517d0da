-- CreateTable
CREATE TABLE "DeviceModel" (
    "id" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    "code" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "createdAt" DATETIME NOT NULL
);

-- CreateTable
CREATE TABLE "Device" (
    "id" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    "key" TEXT NOT NULL,
    "name" TEXT,
    "modelId" INTEGER NOT NULL,
    "tokenSha256" TEXT NOT NULL,
    "lastUploadAt" DATETIME,
    "createdAt" DATETIME NOT NULL,
    "updatedAt" DATETIME NOT NULL,
    CONSTRAINT "Device_modelId_fkey" FOREIGN KEY ("modelId") REFERENCES "DeviceModel" ("id") ON DELETE RESTRICT ON UPDATE CASCADE
);

-- CreateTable
CREATE TABLE "Firmware" (
    "id" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    "modelId" INTEGER NOT NULL,
    "version" TEXT NOT NULL,
    "chip" TEXT,
    "elfSha256" TEXT NOT NULL,
    "size" INTEGER NOT NULL,
    "uploadedAt" DATETIME NOT NULL,
    CONSTRAINT "Firmware_modelId_fkey" FOREIGN KEY ("modelId") REFERENCES "DeviceModel" ("id") ON DELETE RESTRICT ON UPDATE CASCADE
);

-- CreateTable
CREATE TABLE "Coredump" (
    "id" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    "deviceId" INTEGER NOT NULL,
    "firmwareId" INTEGER,
    "filename" TEXT NOT NULL,
    "chip" TEXT NOT NULL,
    "firmwareVersion" TEXT NOT NULL,
    "size" INTEGER NOT NULL,
    "sha256" TEXT NOT NULL,
    "idempotencyKey" TEXT,
    "uploadedAt" DATETIME NOT NULL,
    "parseStatus" TEXT NOT NULL,
    "parseAttempts" INTEGER NOT NULL DEFAULT 0,
    "parseGeneration" INTEGER NOT NULL DEFAULT 0,
    "leaseOwner" TEXT,
    "leaseUntil" DATETIME,
    "parseErrorKind" TEXT,
    "appElfSha256" TEXT,
    "parsedAt" DATETIME,
    CONSTRAINT "Coredump_deviceId_fkey" FOREIGN KEY ("deviceId") REFERENCES "Device" ("id") ON DELETE CASCADE ON UPDATE CASCADE,
    CONSTRAINT "Coredump_firmwareId_fkey" FOREIGN KEY ("firmwareId") REFERENCES "Firmware" ("id") ON DELETE SET NULL ON UPDATE CASCADE
);

-- CreateTable
CREATE TABLE "CoredumpText" (
    "coredumpId" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    "output" TEXT NOT NULL,
    "report" TEXT,
    CONSTRAINT "CoredumpText_coredumpId_fkey" FOREIGN KEY ("coredumpId") REFERENCES "Coredump" ("id") ON DELETE CASCADE ON UPDATE CASCADE
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
