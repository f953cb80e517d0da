-- CreateTable
CREATE TABLE "EarlierReading" (
    "coredumpId" INTEGER NOT NULL,
    "fingerprint" TEXT,
    "parsedAt" TIMESTAMP(3),

    CONSTRAINT "EarlierReading_pkey" PRIMARY KEY ("coredumpId")
);

-- CreateTable
CREATE TABLE "LostRaw" (
    "coredumpId" INTEGER NOT NULL,
    "noticedAt" TIMESTAMP(3) NOT NULL,

    CONSTRAINT "LostRaw_pkey" PRIMARY KEY ("coredumpId")
);

-- CreateTable
CREATE TABLE "LostElf" (
    "firmwareId" INTEGER NOT NULL,
    "noticedAt" TIMESTAMP(3) NOT NULL,

    CONSTRAINT "LostElf_pkey" PRIMARY KEY ("firmwareId")
);

-- AddForeignKey
ALTER TABLE "EarlierReading" ADD CONSTRAINT "EarlierReading_coredumpId_fkey" FOREIGN KEY ("coredumpId") REFERENCES "Coredump"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "LostRaw" ADD CONSTRAINT "LostRaw_coredumpId_fkey" FOREIGN KEY ("coredumpId") REFERENCES "Coredump"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "LostElf" ADD CONSTRAINT "LostElf_firmwareId_fkey" FOREIGN KEY ("firmwareId") REFERENCES "Firmware"("id") ON DELETE CASCADE ON UPDATE CASCADE;
