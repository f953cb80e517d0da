-- AlterTable
ALTER TABLE "Coredump" ADD COLUMN     "chosenFirmwareId" INTEGER;

-- AlterTable
ALTER TABLE "Firmware" ADD COLUMN     "updatedAt" TIMESTAMP(3);

-- CreateIndex
CREATE INDEX "Coredump_chosenFirmwareId_idx" ON "Coredump"("chosenFirmwareId");

-- AddForeignKey
ALTER TABLE "Coredump" ADD CONSTRAINT "Coredump_chosenFirmwareId_fkey" FOREIGN KEY ("chosenFirmwareId") REFERENCES "Firmware"("id") ON DELETE SET NULL ON UPDATE CASCADE;

UPDATE "Firmware" SET "updatedAt" = (SELECT l."noticedAt" FROM "LostElf" l WHERE l."firmwareId" = "Firmware"."id");
