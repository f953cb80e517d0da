-- Added in place: redefining the tables would write every row anew.
ALTER TABLE "Coredump" ADD COLUMN "chosenFirmwareId" INTEGER
    CONSTRAINT "Coredump_chosenFirmwareId_fkey" REFERENCES "Firmware" ("id") ON DELETE SET NULL ON UPDATE CASCADE;
ALTER TABLE "Firmware" ADD COLUMN "updatedAt" DATETIME;

-- CreateIndex
CREATE INDEX "Coredump_chosenFirmwareId_idx" ON "Coredump"("chosenFirmwareId");

UPDATE "Firmware" SET "updatedAt" = (SELECT l."noticedAt" FROM "LostElf" l WHERE l."firmwareId" = "Firmware"."id");
