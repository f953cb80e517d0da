-- What the dump and the ELF say of themselves: a build for another chip is not used, and an ELF that lacks something is
-- named. Added in place: redefining the tables would write every row anew.
ALTER TABLE "Coredump" ADD COLUMN "dumpChip" TEXT;
ALTER TABLE "Firmware" ADD COLUMN "elfVersion" TEXT;
ALTER TABLE "Firmware" ADD COLUMN "warnings" TEXT;

-- Clients see the new columns of a build. The chip of a dump changes together with its parse status.
DROP TRIGGER "Firmware_change_changed";
CREATE TRIGGER "Firmware_change_changed" AFTER UPDATE OF
    "modelId", "version", "chip", "elfSha256", "size", "uploadedAt", "elfVersion", "warnings" ON "Firmware"
    WHEN old."modelId" IS NOT new."modelId" OR
    old."version" IS NOT new."version" OR
    old."chip" IS NOT new."chip" OR
    old."elfSha256" IS NOT new."elfSha256" OR
    old."size" IS NOT new."size" OR
    old."uploadedAt" IS NOT new."uploadedAt" OR
    old."elfVersion" IS NOT new."elfVersion" OR
    old."warnings" IS NOT new."warnings" BEGIN
    INSERT INTO "Change" ("subject", "subjectId", "deviceId", "kind") VALUES ('Firmware', new."id", NULL, 'CHANGED');
END;
